"""Image pool: a buffer of earlier generated images that a discriminator sees again."""

import torch
from torch import Tensor, nn

from sparring.core.rng import KeyedRandom, make_generator
from sparring.core.runtime import all_gather
from sparring.core.shapes import Image


class ImagePool(nn.Module):
    """Up to `size` earlier images. A image that comes in is given back, or (with probability 1/2, once the pool is full) takes
    the place of one of those, which is given back instead.

    The pool is part of the state, as whole numbers from 0 to 255; with several processes all hold the same one. The images of a
    batch take different places, at most `size` of them; more pass by.

    References: Shrivastava et al. 2017, "Learning from simulated and unsupervised images through adversarial training",
    arXiv:1612.07828, sec. 2.3; Zhu et al. 2017, arXiv:1703.10593, sec. 4 (50 images).

    Arguments:
        size: of the pool; 0 gives back what comes in.
        shape: (c, h, w) of a image.
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
        """Generated images (b, c, h, w) in [-1, 1], some of them of earlier steps."""
        if self.size == 0:
            return fakes
        first, number = rng.rows.start, len(fakes)
        rows = all_gather(torch.arange(first, first + number, device=fakes.device))
        given = self._exchange(all_gather(fakes.contiguous()), rows, rng, stream)
        return given[(rows >= first) & (rows < first + number)]

    def _exchange(self, fakes: Image, rows: Tensor, rng: KeyedRandom, stream: str) -> Image:
        """No number of this leaves the device: places are chosen whether or not they will be used."""
        some = slice(0, min(len(fakes), self.size))
        come, place, coin = fakes[some], *self._chosen(rows[some], rng, stream)
        full = self.count >= self.size
        order = self.count + torch.arange(len(come), device=fakes.device)
        places = torch.where(full, place, order % self.size)
        fills, swaps = ~full & (order < self.size), full & coin
        stored = self.pictures[places]
        earlier = stored.to(fakes) / 127.5 - 1
        new = ((come.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        self.pictures[places] = torch.where(_broadcast(fills | swaps), new, stored)
        self.count += fills.sum()
        return torch.cat([torch.where(_broadcast(swaps), earlier, come), fakes[some.stop :]])

    def _chosen(self, rows: Tensor, rng: KeyedRandom, stream: str) -> tuple[Tensor, Tensor]:
        """Places in the pool, all different, and a coin for each row; the same in all processes."""
        order, coins = (
            make_generator(rng.seed, f"{stream}.{name}", *rng.position) for name in ("place", "coin")
        )
        places = torch.randperm(self.size, generator=order).to(rows.device)
        tossed = torch.rand(rng.total, generator=coins).to(rows.device)
        at = (rows[0] + torch.arange(len(rows), device=rows.device)) % self.size
        return places[at], tossed[rows] < 0.5


def _broadcast(values: Tensor) -> Tensor:
    return values[:, None, None, None]
