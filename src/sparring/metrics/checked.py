"""What every metric asks of its features: two finite tables of the same width, with enough rows in each."""

import numpy as np
import torch
from torch import Tensor

from sparring.errors import DataError

Table = Tensor | np.ndarray
LARGEST = 1e20  # the twelfth power (the squared error of a cubic kernel) is still finite in float64


def checked(real: Table, fake: Table, need: int = 2, what: str = "this metric") -> tuple[Tensor, Tensor]:
    """Both tables in float64 on the CPU, (n, d) and (m, d); a `DataError` says what does not fit.

    >>> checked(np.zeros((3, 2)), torch.ones(4, 2))[1].dtype
    torch.float64

    Arguments:
        real: features of real samples (n, d), a Tensor or an array.
        fake: features of generated samples (m, d).
        need: the least number of rows that the metric can do with, in each.
        what: the metric's name, for the message.
    """
    first, second = pair(real, fake, need, what)
    return first.double(), second.double()


def pair(real: Table, fake: Table, need: int = 2, what: str = "this metric") -> tuple[Tensor, Tensor]:
    """As `checked`, but each table keeps its own type of number: for metrics that convert in blocks."""
    first, second = table(real, "real", need, what), table(fake, "fake", need, what)
    if first.shape[1] != second.shape[1]:
        raise DataError(
            f"{first.shape[1]} features a real sample, {second.shape[1]} features a fake one",
            "the same number",
            "take both from the same extractor",
        )
    return first, second


def table(samples: Table, name: str, need: int = 2, what: str = "this metric") -> Tensor:
    """One table (n, d) of finite numbers on the CPU, in its own type of number (float64 for anything but floats)."""
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


def as_tensor(samples: Table, name: str) -> Tensor:
    """A Tensor on the CPU without a gradient. Arrays that torch can't share are copied."""
    if isinstance(samples, np.ndarray):
        if samples.dtype.kind not in "fiub":
            raise DataError(
                f"{name} values of type {samples.dtype}", "real numbers", "convert them to float32"
            )
        kept = samples if samples.dtype in (np.float32, np.float64) else samples.astype(np.float64)
        return torch.from_numpy(np.require(kept, requirements=["C", "W"]))
    if samples.is_complex():
        raise DataError(f"{name} values of type {samples.dtype}", "real numbers", "convert them to float32")
    rows = samples.detach().cpu()
    return rows if rows.is_floating_point() else rows.double()


def _check_finite(rows: Tensor, name: str) -> None:
    low, high = rows.aminmax() if rows.numel() else (torch.zeros(()), torch.zeros(()))
    if low.item() >= -LARGEST and high.item() <= LARGEST:
        return
    wrong = (~(rows.double().abs() <= LARGEST)).nonzero()[0].tolist()
    raise DataError(
        f"the {name} features hold {rows[wrong[0], wrong[1]].item()} (sample {wrong[0]}, feature {wrong[1]})",
        f"finite numbers up to {LARGEST:g}",
        "leave that sample out, or see why the generator or the extractor gives it",
    )
