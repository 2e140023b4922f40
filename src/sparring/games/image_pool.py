"""Image pool: a buffer of earlier generated images that a discriminator sees again."""

import torch
from torch import Tensor, nn

from sparring.core.rng import KeyedRandom, make_generator
from sparring.core.runtime import all_gather
from sparring.core.shapes import Image


class ImagePool(nn.Module):
    """A buffer of up to `size` generated images of earlier steps.

    An image that is passed in is returned; or, once the pool is full, with probability 1/2 it replaces an image of the pool,
    which is returned in its place. The images of a batch get different places of the pool, at most `size` of them; any others
    are returned unchanged.

    The pool is part of the training state, in 8-bit integers; with several processes all of them hold the same images.

    References: Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training",
    arXiv:1612.07828, sec. 2.3; Zhu et al. 2017, arXiv:1703.10593, sec. 4 (50 images).

    Arguments:
        size: of the pool; 0 returns all images unchanged.
        shape: (c, h, w) of an image.
    """

    pictures: Tensor
    count: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("pictures", torch.zeros(size, *shape, dtype=torch.uint8))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def query(self, fakes: Image, rng: KeyedRandom, stream: str) -> Image:
        """Generated images (b, c, h, w) in [-1, 1], some of them replaced by images of earlier steps."""
        if self.size == 0:
            return fakes
        first, number = rng.rows.start, len(fakes)
        rows = all_gather(torch.arange(first, first + number, device=fakes.device))
        exchanged = self._exchange(all_gather(fakes.contiguous()), rows, rng, stream)
        return exchanged[(rows >= first) & (rows < first + number)]

    def _exchange(self, fakes: Image, rows: Tensor, rng: KeyedRandom, stream: str) -> Image:
        """Everything stays on the device: places are drawn whether or not they are used."""
        limited = slice(0, min(len(fakes), self.size))
        incoming = fakes[limited]
        place, swap = self._draw_places(rows[limited], rng, stream)
        full = self.count >= self.size
        order = self.count + torch.arange(len(incoming), device=fakes.device)
        places = torch.where(full, place, order % self.size)
        fills, swaps = ~full & (order < self.size), full & swap
        stored = self.pictures[places]
        earlier = stored.to(fakes) / 127.5 - 1
        new = ((incoming.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        self.pictures[places] = torch.where(_per_image(fills | swaps), new, stored)
        self.count += fills.sum()
        return torch.cat([torch.where(_per_image(swaps), earlier, incoming), fakes[limited.stop :]])

    def _draw_places(self, rows: Tensor, rng: KeyedRandom, stream: str) -> tuple[Tensor, Tensor]:
        """A different place of the pool and whether to swap, for each row; the same in all processes."""
        order, coins = (
            make_generator(rng.seed, f"{stream}.{name}", *rng.position) for name in ("place", "coin")
        )
        places = torch.randperm(self.size, generator=order).to(rows.device)
        uniform = torch.rand(rng.total, generator=coins).to(rows.device)
        at = (rows[0] + torch.arange(len(rows), device=rows.device)) % self.size
        return places[at], uniform[rows] < 0.5


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
