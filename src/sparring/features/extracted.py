"""What an extractor is, and the checks that each makes of what comes in and what goes out."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sparring.errors import DataError


class Extracted(NamedTuple):
    """Features float32 (n, d), and the logits float32 (n, k) of a network that classifies."""

    features: Tensor
    logits: Tensor | None = None


class Extractor(Protocol):
    """From samples to features, the same whatever the number of samples that come together."""

    @property
    def name(self) -> str:
        """Its row in the table."""
        ...

    @property
    def dimension(self) -> int:
        """How many features a sample has."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights; empty where there are none."""
        ...

    @property
    def rule(self) -> str:
        """How pictures are resized and scaled, in words that change when the code does."""
        ...

    def __call__(self, samples: np.ndarray) -> Extracted:
        """Features of uint8 pictures (n, h, w, c) or of float32 points (n, d)."""
        ...


def blocks(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The samples in pieces of at most `size`."""
    for at in range(0, len(samples), size):
        yield np.ascontiguousarray(samples[at : at + size])


def joined(parts: list[Extracted]) -> Extracted:
    """The pieces as one, all of whose features are finite.

    Raises:
        DataError: some are not.
    """
    features = torch.cat([part.features for part in parts])
    bad = int((~torch.isfinite(features)).any(1).sum())
    if bad:
        raise DataError(
            f"features that are not finite, of {bad:,} of {len(features):,} samples",
            "finite features",
            "check the weights of the extractor, and whether the samples are finite",
        )
    logits = [part.logits for part in parts if part.logits is not None]
    return Extracted(features, torch.cat(logits) if len(logits) == len(parts) else None)


def by_blocks(samples: np.ndarray, size: int, compute: Callable[[np.ndarray], Extracted]) -> Extracted:
    """What `compute` makes of uint8 pictures, in blocks all of one size, so that each picture is computed in the same way
    whatever comes with it: the last block is filled up with its last picture."""
    parts = []
    with torch.no_grad():
        for block in blocks(checked_pictures(samples), size):
            full = np.concatenate([block, np.repeat(block[-1:], size - len(block), 0)])
            ours = [value[: len(block)].float().cpu() for value in compute(full) if value is not None]
            parts.append(Extracted(*ours))
    return joined(parts)


def checked_pictures(samples: np.ndarray) -> np.ndarray:
    """uint8 pictures (n, h, w, c), n >= 1, as they are.

    Raises:
        DataError: they are something else.
    """
    fits = samples.ndim == 4 and samples.dtype == np.uint8 and samples.shape[-1] in (1, 3, 4)
    if not fits or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "uint8 pictures (n, height, width, channels), none of them zero, with 1, 3 or 4 channels",
            "use the extractor 'points' for points; quantise generated pictures to uint8, as they would be saved",
        )
    return samples


def checked_points(samples: np.ndarray) -> np.ndarray:
    """float32 points (n, d), n >= 1, as they are.

    Raises:
        DataError: they are something else.
    """
    if samples.ndim != 2 or samples.dtype != np.float32 or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "float32 points (n, coordinates), none of them zero",
            "use another extractor, such as 'pixels', for pictures",
        )
    return samples
