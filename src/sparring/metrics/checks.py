"""Checks of metric inputs: finite feature matrices of equal width, and images of equal size and known range."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import ConfigError, DataError

ArrayLike = Tensor | np.ndarray
MAX_FEATURE = 1e20  # the twelfth power (the squared error of a cubic kernel) is still finite in float64


def check_features(
    real: ArrayLike, fake: ArrayLike, need: int = 2, what: str = "this metric"
) -> tuple[Tensor, Tensor]:
    """Check two feature matrices and return them in float64 on the CPU, (n, d) and (m, d).

    >>> check_features(np.zeros((3, 2)), torch.ones(4, 2))[1].dtype
    torch.float64

    Arguments:
        real: features of real samples (n, d), a Tensor or an array.
        fake: features of generated samples (m, d).
        need: minimum number of rows of each.
        what: name of the metric, for the error.

    Raises:
        DataError: too few rows, unequal widths, or values that are not finite or too large.
    """
    first, second = check_features_keep_dtype(real, fake, need, what)
    return first.double(), second.double()


def check_features_keep_dtype(
    real: ArrayLike, fake: ArrayLike, need: int = 2, what: str = "this metric"
) -> tuple[Tensor, Tensor]:
    """As `check_features`, but each matrix keeps its dtype, for metrics that convert block by block."""
    first, second = (
        check_feature_matrix(real, "real", need, what),
        check_feature_matrix(fake, "fake", need, what),
    )
    if first.shape[1] != second.shape[1]:
        raise DataError(
            f"{first.shape[1]} features a real sample, {second.shape[1]} features a fake one",
            "the same number",
            "take both from the same extractor",
        )
    return first, second


def check_feature_matrix(samples: ArrayLike, name: str, need: int = 2, what: str = "this metric") -> Tensor:
    """Check one feature matrix and return it on the CPU (n, d); floats keep their dtype, all else becomes float64."""
    rows = as_tensor(samples, name)
    if rows.ndim != 2 or rows.shape[1] == 0:
        shape = " x ".join(map(str, rows.shape)) or "a single number"
        raise DataError(
            f"{name} features of shape {shape}",
            "samples x features",
            "flatten each sample, as in x.reshape(len(x), -1), or use an extractor",
        )
    if len(rows) < need:
        counted = "1 sample" if len(rows) == 1 else f"{len(rows):,} samples"
        raise DataError(
            f"{counted} ({name}); {what} needs {need:,}", f"{need:,} or more", "give more samples"
        )
    _check_finite(rows, name)
    return rows


def as_tensor(samples: ArrayLike, name: str) -> Tensor:
    """A floating-point Tensor on the CPU without gradient; arrays that torch can't share memory with are copied.

    Raises:
        DataError: the values are not real numbers.
    """
    if isinstance(samples, np.ndarray):
        if samples.dtype.kind not in "fiub":
            raise DataError(
                f"{name} values of type {samples.dtype}", "real numbers", "convert them to float32"
            )
        array = samples if samples.dtype in (np.float32, np.float64) else samples.astype(np.float64)
        return torch.from_numpy(np.require(array, requirements=["C", "W"]))
    if samples.is_complex():
        raise DataError(f"{name} values of type {samples.dtype}", "real numbers", "convert them to float32")
    rows = samples.detach().cpu()
    return rows if rows.is_floating_point() else rows.double()


def _check_finite(rows: Tensor, name: str) -> None:
    low, high = rows.aminmax() if rows.numel() else (torch.zeros(()), torch.zeros(()))
    if low.item() >= -MAX_FEATURE and high.item() <= MAX_FEATURE:
        return
    wrong = (~(rows.double().abs() <= MAX_FEATURE)).nonzero()[0].tolist()
    raise DataError(
        f"the {name} features hold {rows[wrong[0], wrong[1]].item()} (sample {wrong[0]}, feature {wrong[1]})",
        f"finite numbers up to {MAX_FEATURE:g}",
        "leave that sample out, or check the generator and the extractor",
    )


IMAGE_BLOCK, BLOCK_VALUES = (
    64,
    100_000,
)  # images, and values of them, that are worked on together: what a cache holds


def map_image_pairs(
    formula: Callable[[Tensor, Tensor], Tensor],
    real: ArrayLike,
    fake: ArrayLike,
    dynamic_range: float,
    smallest: int = 1,
) -> Tensor:
    """Apply a formula to pairs of images, block by block.

    Arguments:
        formula: two float64 batches (b, c, h, w) to one value each (b,).
        real, fake: images (n, h, w, c), uint8 or floats in [0, dynamic_range].
        dynamic_range: largest possible value.
        smallest: minimum height and width in pixels.

    Returns:
        float64 (n,).
    """
    first = check_images(real, "real", dynamic_range, smallest)
    second = check_images(fake, "fake", dynamic_range, smallest)
    if first.shape != second.shape:
        raise DataError(
            f"real images {tuple(first.shape)}, fake ones {tuple(second.shape)}",
            "the same number and size",
            "pair each image with its own target",
        )
    size = max(1, min(IMAGE_BLOCK, BLOCK_VALUES // first[0].numel()))
    blocks = zip(first.split(size), second.split(size), strict=True)
    planes = ((part.permute(0, 3, 1, 2).double().contiguous() for part in pair) for pair in blocks)
    return torch.cat([formula(*pair) for pair in planes])


def check_images(images: ArrayLike, name: str, dynamic_range: float, smallest: int = 1) -> Tensor:
    """Check images (n, h, w, c) and return them as a Tensor on the CPU of the same dtype.

    Raises:
        ConfigError: `dynamic_range` is not positive. DataError: wrong shape, size or range of values.
    """
    if not 0 < dynamic_range < math.inf:
        raise ConfigError(f"dynamic_range {dynamic_range}", "a positive number", "255 for images as saved")
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.require(images, requirements=["C", "W"]))
    images = images.detach().cpu()
    if images.ndim != 4 or images.shape[3] not in (1, 2, 3, 4) or not len(images):
        raise DataError(
            f"{name} of shape {tuple(images.shape)}",
            "images (n, h, w, c) of 1 to 4 channels",
            "channels come last",
        )
    if min(images.shape[1:3]) < smallest:
        raise DataError(
            f"{name} of {images.shape[1]} x {images.shape[2]} pixels",
            f"both sides {smallest} or more, the size of the window",
            "choose a metric of features for images this small",
        )
    low, high = images.aminmax()
    if not (low >= 0 and high <= dynamic_range):  # NaN too
        raise DataError(
            f"{name} with values from {low.item():g} to {high.item():g}",
            f"0 to {dynamic_range:g}",
            "images in [-1, 1]: (x + 1) * 127.5",
        )
    return images
