"""The order of the data: an endless stream of sample numbers that is a pure function of the seed and the
position.

There is no sampler and so no sampler state: a resumed run asks for the slice that comes next, and any number
of processes cut their rows out of the same slice.
"""

from functools import lru_cache

import numpy as np
import torch

from sparring import keyed
from sparring.errors import ConfigError


def indices(seed: int, count: int, start: int, size: int, stream: str = "order") -> np.ndarray:
    """The numbers of samples `start` to `start + size - 1` of the stream, int64 (size,).

    Epoch e, which is positions e * count to (e + 1) * count - 1, is a permutation of range(count) keyed by
    (seed, stream, e): each sample comes exactly once in each epoch.

    Arguments:
        seed: of the run.
        count: samples in the set, at least 1.
        start: position in the stream, in samples; not negative.
        size: how many; may exceed `count`.
        stream: of the randomness: another one for a second set that is dealt beside the first.

    >>> sorted(indices(0, 5, 5, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    if count < 1 or start < 0 or size < 0:
        raise ConfigError(
            f"{size} samples from position {start} of {count}",
            "count >= 1, start >= 0, size >= 0",
            "mend the numbers",
        )
    pieces = []
    while size > 0:
        epoch, offset = divmod(start, count)
        piece = _permutation(seed, count, epoch, stream)[offset : offset + size]
        pieces.append(piece)
        start, size = start + len(piece), size - len(piece)
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


@lru_cache(maxsize=4)
def _permutation(seed: int, count: int, epoch: int, stream: str) -> np.ndarray:
    order = torch.randperm(count, generator=keyed.generator(seed, stream, epoch)).numpy()
    order.flags.writeable = False
    return order
