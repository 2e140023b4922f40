"""Keyed random numbers: every draw is seeded by a hash of (seed, stream name, indices), so no random state
has to be saved.

Workers, evaluation and previews can't disturb training, and a resumed run draws the same numbers as an
uninterrupted one.

References: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (counter-based random numbers).
"""

import hashlib

import torch
from torch import Tensor


def derive_seed(seed: int, stream: str, *indices: int) -> int:
    """A 63-bit seed from a hash of the seed, the stream name and the indices.

    >>> derive_seed(0, "latent", 7) == derive_seed(0, "latent", 7), derive_seed(0, "latent", 7) == derive_seed(0, "latent", 8)
    (True, False)
    """
    text = "/".join([str(seed), stream, *map(str, indices)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def make_generator(seed: int, stream: str, *indices: int) -> torch.Generator:
    """A new CPU generator, seeded by `derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, stream, *indices))


def sample_latents(seed: int, indices: range, dimension: int) -> Tensor:
    """Standard normal latents (n, z) in which row i depends on `(seed, indices[i])` alone.

    >>> bool((sample_latents(0, range(4), 8)[2:] == sample_latents(0, range(2, 4), 8)).all())
    True
    """
    rows = [torch.randn(dimension, generator=make_generator(seed, "sample", index)) for index in indices]
    return torch.stack(rows) if rows else torch.empty(0, dimension)


class KeyedRandom:
    """The random numbers of one turn, by stream name; the same for any number of processes and micro-batches.

    Each draw is made for the whole batch on the CPU, and the rows of this process or micro-batch are kept.

    Arguments:
        seed: of the run.
        position: identifies the turn: (step, turn, repeat).
        total: rows of the whole batch, over all processes.
        rows: of this process or micro-batch; None for all.
        device: of the returned tensors.
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
        return make_generator(self.seed, stream, *self.position)

    def _local_rows(self, values: Tensor) -> Tensor:
        return values[self.rows].to(self.device, non_blocking=True)

    def normal(self, stream: str, *shape: int) -> Tensor:
        """Standard normal numbers (rows, *shape)."""
        return self._local_rows(torch.randn(self.total, *shape, generator=self._generator(stream)))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Numbers uniform on [0, 1) (rows, *shape)."""
        return self._local_rows(torch.rand(self.total, *shape, generator=self._generator(stream)))

    def integers(self, stream: str, high: int, *shape: int) -> Tensor:
        """Integers from 0 to `high` - 1 (rows, *shape)."""
        return self._local_rows(torch.randint(high, (self.total, *shape), generator=self._generator(stream)))
