"""The extractor protocol, its options and its output, with checks of inputs and outputs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from sparring.core.errors import ConfigError, DataError
from sparring.core.runtime import Runtime
from sparring.data.dataset import Dataset


class ExtractorOutput(NamedTuple):
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
    def preprocessing(self) -> str:
        """How images are resized and scaled, in words that change when the code does."""
        ...

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        """Features of uint8 images (n, h, w, c) or of float32 points (n, d)."""
        ...


def iterate_blocks(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The samples in pieces of at most `size`."""
    for at in range(0, len(samples), size):
        yield np.ascontiguousarray(samples[at : at + size])


def concatenate_outputs(parts: list[ExtractorOutput]) -> ExtractorOutput:
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
    return ExtractorOutput(features, torch.cat(logits) if len(logits) == len(parts) else None)


def extract_in_blocks(
    samples: np.ndarray, size: int, compute: Callable[[np.ndarray], ExtractorOutput]
) -> ExtractorOutput:
    """What `compute` makes of uint8 images, in blocks all of one size, so that each image is computed in the same way
    whatever comes with it: the last block is filled up with its last image."""
    parts = []
    with torch.no_grad():
        for block in iterate_blocks(check_images(samples), size):
            full = np.concatenate([block, np.repeat(block[-1:], size - len(block), 0)])
            ours = [value[: len(block)].float().cpu() for value in compute(full) if value is not None]
            parts.append(ExtractorOutput(*ours))
    return concatenate_outputs(parts)


def check_images(samples: np.ndarray) -> np.ndarray:
    """uint8 images (n, h, w, c), n >= 1, as they are.

    Raises:
        DataError: they are something else.
    """
    fits = samples.ndim == 4 and samples.dtype == np.uint8 and samples.shape[-1] in (1, 3, 4)
    if not fits or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "uint8 images (n, height, width, channels), none of them zero, with 1, 3 or 4 channels",
            "use the extractor 'points' for points; quantise generated images to uint8, as they would be saved",
        )
    return samples


def check_points(samples: np.ndarray) -> np.ndarray:
    """float32 points (n, d), n >= 1, as they are.

    Raises:
        DataError: they are something else.
    """
    if samples.ndim != 2 or samples.dtype != np.float32 or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "float32 points (n, coordinates), none of them zero",
            "use another extractor, such as 'pixels', for images",
        )
    return samples


@dataclass(frozen=True, kw_only=True)
class ExtractorOptions:
    """An extractor of this name, on this machine, with these weights, fitted on this set."""

    name: str
    runtime: Runtime
    weights: Path | None = None
    fitted_on: Dataset | None = None

    def data(self, images: bool = True) -> Dataset:
        """The set to fit on.

        Raises:
            ConfigError: none was given, or one of the wrong kind.
        """
        if self.fitted_on is None:
            raise ConfigError(
                f"the extractor {self.name!r} without a set of samples",
                "the set that it is fitted on",
                "name the data, or take an extractor that is not fitted, such as 'efficientnet_lite0'",
            )
        if self.fitted_on.spec.is_image != images:
            kind, other = ("pictures", "points") if images else ("points", "pixels")
            raise ConfigError(
                f"the extractor {self.name!r} for samples of shape {self.fitted_on.spec.shape}",
                kind,
                f"use the extractor {other!r}",
            )
        return self.fitted_on


def freeze(module: nn.Module) -> nn.Module:
    """In evaluation, without gradients."""
    return module.eval().requires_grad_(False)
