"""Keyed randomness: every draw has a name, and a draw with the same name is the same draw.

There is no random state to save or to forget: the generator of a draw is seeded by a hash of
`(seed, stream, indices)`. Workers, evaluation and previews can't disturb training, and a resumed run
draws what the undisturbed one would have drawn.

References: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (the idea of counter-based draws).
"""

import hashlib

import torch
from torch import Tensor


def key(seed: int, stream: str, *indices: int) -> int:
    """A 63-bit seed for the draw of this name.

    >>> key(0, "latent", 7) == key(0, "latent", 7), key(0, "latent", 7) == key(0, "latent", 8)
    (True, False)
    """
    text = "/".join([str(seed), stream, *map(str, indices)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, stream: str, *indices: int) -> torch.Generator:
    """A CPU generator for this draw alone."""
    return torch.Generator().manual_seed(key(seed, stream, *indices))


def latents(seed: int, indices: range, dimension: int) -> Tensor:
    """Standard normal latents (n, z) in which row i depends on `(seed, indices[i])` alone.

    >>> bool((latents(0, range(4), 8)[2:] == latents(0, range(2, 4), 8)).all())
    True
    """
    rows = [torch.randn(dimension, generator=generator(seed, "sample", index)) for index in indices]
    return torch.stack(rows) if rows else torch.empty(0, dimension)


class Draws:
    """The random numbers of one turn, each under its own name, the same for any number of processes.

    A draw is made for the whole batch of `total` rows on the CPU; this process (or micro-batch) keeps `rows` of it.

    Arguments:
        seed: of the run.
        position: what makes this turn unique, as (step, turn, repeat).
        total: rows of the whole batch, over all processes.
        rows: the rows that are ours.
        device: where the numbers are wanted.
    """

    def __init__(
        self,
        seed: int,
        position: tuple[int, ...],
        total: int,
        rows: slice | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.seed, self.position, self.total = seed, position, total
        self.rows = rows if rows is not None else slice(0, total)
        self.device = device

    def _generator(self, stream: str) -> torch.Generator:
        return generator(self.seed, stream, *self.position)

    def _ours(self, values: Tensor) -> Tensor:
        return values[self.rows].to(self.device, non_blocking=True)

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Standard normal numbers (rows, *shape)."""
        return self._ours(torch.randn(self.total, *shape, generator=self._generator(stream)))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Numbers uniform on [0, 1) (rows, *shape)."""
        return self._ours(torch.rand(self.total, *shape, generator=self._generator(stream)))

    def integers(self, stream: str, high: int, *shape: int) -> Tensor:
        """Integers from 0 to `high` - 1 (rows, *shape)."""
        return self._ours(torch.randint(high, (self.total, *shape), generator=self._generator(stream)))
