"""What a few dozen samples tell at a glance: variety, repeats, over-exposure, and whose judgements are higher.

References: Mann & Whitney 1947 (the overlap of two lists of judgements).
"""

import torch
from torch import Tensor

NEAR = 0.1  # of the distance that neighbouring real samples have: nearer ones are the same sample again
SATURATED = 0.99  # of the greatest value that a picture can have


def of_samples(real: Tensor, again: Tensor, fake: Tensor) -> dict[str, float]:
    """What the samples tell by themselves. All are (n, *sample); `real` and `again` are different draws of real samples."""
    reals, others, fakes = (samples.flatten(1).double() for samples in (real, again, fake))
    neighbours = _nearest(reals).median()
    found = {
        "diversity": spread(fakes) / max(spread(reals), 1e-12),
        "repeats": float((_nearest(fakes) < NEAR * neighbours).double().mean()),
        "reached": reached(reals, fakes) / reached(reals, others),
    }
    if real.ndim == 4:
        found["saturated"] = float((fakes.abs() > SATURATED).double().mean())
        found["saturated_real"] = float((reals.abs() > SATURATED).double().mean())
    return found


def spread(rows: Tensor) -> float:
    """Mean distance between two of them."""
    return float(torch.pdist(rows).mean())


def _nearest(rows: Tensor) -> Tensor:
    return torch.cdist(rows, rows).fill_diagonal_(torch.inf).amin(1)


def reached(reals: Tensor, others: Tensor) -> int:
    """How many of the first are the nearest one to some of the others."""
    return len(torch.cdist(others, reals).argmin(1).unique())


def above(left: Tensor, right: Tensor) -> float:
    """How often a number of the first list exceeds one of the second; ties count half.

    >>> above(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    0.875
    """
    difference = left[:, None] - right[None]
    return float(((difference.sign() + 1) / 2).mean())
