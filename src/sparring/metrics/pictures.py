"""What every metric asks of its pictures, and how a formula of pairs goes through many of them."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sparring.errors import ConfigError, DataError
from sparring.metrics.checked import Table

BLOCK, VALUES = 64, 100_000  # pictures, and values of them, that are worked on together: what a cache holds


def in_pairs(
    formula: Callable[[Tensor, Tensor], Tensor],
    real: Table,
    fake: Table,
    dynamic_range: float,
    smallest: int = 1,
) -> Tensor:
    """The formula of the pairs, in float64 (b, c, h, w) blocks."""
    first = pictures_of(real, "real", dynamic_range, smallest)
    second = pictures_of(fake, "fake", dynamic_range, smallest)
    if first.shape != second.shape:
        raise DataError(
            f"real pictures {tuple(first.shape)}, fake ones {tuple(second.shape)}",
            "the same number and size",
            "pair each picture with its own target",
        )
    size = max(1, min(BLOCK, VALUES // first[0].numel()))
    blocks = zip(first.split(size), second.split(size), strict=True)
    planes = ((part.permute(0, 3, 1, 2).double().contiguous() for part in pair) for pair in blocks)
    return torch.cat([formula(*pair) for pair in planes])


def pictures_of(pictures: Table, name: str, dynamic_range: float, smallest: int = 1) -> Tensor:
    """A set of pictures (n, h, w, c) on the CPU, in its own type of number, checked."""
    if not 0 < dynamic_range < math.inf:
        raise ConfigError(f"dynamic_range {dynamic_range}", "a positive number", "255 for pictures as saved")
    if isinstance(pictures, np.ndarray):
        pictures = torch.from_numpy(np.require(pictures, requirements=["C", "W"]))
    shown = pictures.detach().cpu()
    if shown.ndim != 4 or shown.shape[3] not in (1, 2, 3, 4) or not len(shown):
        raise DataError(
            f"{name} of shape {tuple(shown.shape)}",
            "pictures (n, h, w, c) of 1 to 4 channels",
            "channels come last",
        )
    if min(shown.shape[1:3]) < smallest:
        raise DataError(
            f"{name} of {shown.shape[1]} x {shown.shape[2]} pixels",
            f"both sides {smallest} or more, the size of the window",
            "choose a metric of features for pictures this small",
        )
    low, high = shown.aminmax()
    if not (low >= 0 and high <= dynamic_range):  # NaN too
        raise DataError(
            f"{name} with values from {low.item():g} to {high.item():g}",
            f"0 to {dynamic_range:g}",
            "pictures in [-1, 1]: (x + 1) * 127.5",
        )
    return shown
