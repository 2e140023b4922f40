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
    """A function from samples to features; those of a sample do not depend on the others in the batch."""

    @property
    def name(self) -> str:
        """Its key in `EXTRACTORS`."""
        ...

    @property
    def dimension(self) -> int:
        """Number of features of a sample; 0 if unknown."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights; empty without weights."""
        ...

    @property
    def preprocessing(self) -> str:
        """How images are resized and scaled; part of the key of cached features, so it must change with the code."""
        ...

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        """Features of uint8 images (n, h, w, c) or of float32 points (n, d)."""
        ...


def iterate_blocks(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Contiguous blocks of at most `size` samples."""
    for at in range(0, len(samples), size):
        yield np.ascontiguousarray(samples[at : at + size])


def concatenate_outputs(parts: list[ExtractorOutput]) -> ExtractorOutput:
    """Concatenate the outputs of blocks; logits only if all blocks have them.

    Raises:
        DataError: a feature is not finite.
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
    """Extract features block by block.

    All blocks have the same size (the last one is filled up with its last image), so that the features of an image do not
    depend on the number of images.

    Arguments:
        samples: uint8 images (n, h, w, c).
        size: of a block.
        compute: a block (size, h, w, c) to its features and logits.
    """
    parts = []
    with torch.no_grad():
        for block in iterate_blocks(check_images(samples), size):
            padded = np.concatenate([block, np.repeat(block[-1:], size - len(block), 0)])
            values = [value[: len(block)].float().cpu() for value in compute(padded) if value is not None]
            parts.append(ExtractorOutput(*values))
    return concatenate_outputs(parts)


def check_images(samples: np.ndarray) -> np.ndarray:
    """Return the samples if they are uint8 images (n, h, w, c), n >= 1.

    Raises:
        DataError: they are something else.
    """
    is_valid = samples.ndim == 4 and samples.dtype == np.uint8 and samples.shape[-1] in (1, 3, 4)
    if not is_valid or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "uint8 images (n, height, width, channels), not empty, with 1, 3 or 4 channels",
            "use the extractor 'points' for points; quantise generated images to uint8, as they would be saved",
        )
    return samples


def check_points(samples: np.ndarray) -> np.ndarray:
    """Return the samples if they are float32 points (n, d), n >= 1.

    Raises:
        DataError: they are something else.
    """
    if samples.ndim != 2 or samples.dtype != np.float32 or 0 in samples.shape:
        raise DataError(
            f"samples of type {samples.dtype} and shape {samples.shape}",
            "float32 points (n, coordinates), not empty",
            "use another extractor for images, such as 'pixels'",
        )
    return samples


@dataclass(frozen=True, kw_only=True)
class ExtractorOptions:
    """Arguments of an extractor; those of `load`.

    Arguments:
        name: its key in `EXTRACTORS`.
        runtime: the device that it computes on.
        weights: file (or its folder) with the weights of a published network; None searches `$SPARRING_WEIGHTS` and the package
            that ships them.
        fitted_on: the data that a fitted extractor is fitted on; None for one that is not fitted.
        fit_images: images seen while it is trained, for an extractor whose training has a length; None is its default.
    """

    name: str
    runtime: Runtime
    weights: Path | None = None
    fitted_on: Dataset | None = None
    fit_images: int | None = None

    def data(self, images: bool = True) -> Dataset:
        """The data to fit on.

        Arguments:
            images: whether it must be images; otherwise points.

        Raises:
            ConfigError: it is missing, or of the wrong kind.
        """
        if self.fitted_on is None:
            raise ConfigError(
                f"the extractor {self.name!r} without a set of samples",
                "the data that it is fitted on",
                "name the data, or use an extractor that is not fitted, such as 'efficientnet_lite0'",
            )
        if self.fitted_on.spec.is_image != images:
            kind, other = ("images", "points") if images else ("points", "pixels")
            raise ConfigError(
                f"the extractor {self.name!r} for samples of shape {self.fitted_on.spec.shape}",
                kind,
                f"use the extractor {other!r}",
            )
        return self.fitted_on


def freeze(module: nn.Module) -> nn.Module:
    """Set a module to evaluation mode, without gradients, and return it."""
    return module.eval().requires_grad_(False)
