"""Statistics of a small batch of samples: diversity, near duplicates, coverage, clipped pixels."""

import torch
from torch import Tensor

NEAR_DUPLICATE_FRACTION = (
    0.1  # of the distance that neighbouring real samples have: nearer ones are the same sample again
)
CLIPPED_VALUE = 0.99  # of the greatest value that a image can have


def batch_statistics(real: Tensor, again: Tensor, fake: Tensor) -> dict[str, float]:
    """What the samples tell by themselves. All are (n, *sample); `real` and `again` are different draws of real samples."""
    reals, others, fakes = (samples.flatten(1).double() for samples in (real, again, fake))
    neighbours = _nearest_distances(reals).median()
    found = {
        "diversity": mean_pairwise_distance(fakes) / max(mean_pairwise_distance(reals), 1e-12),
        "near_duplicates": float(
            (_nearest_distances(fakes) < NEAR_DUPLICATE_FRACTION * neighbours).double().mean()
        ),
        "coverage": count_nearest(reals, fakes) / count_nearest(reals, others),
    }
    if real.ndim == 4:
        found["clipped_pixels"] = float((fakes.abs() > CLIPPED_VALUE).double().mean())
        found["clipped_pixels_real"] = float((reals.abs() > CLIPPED_VALUE).double().mean())
    return found


def mean_pairwise_distance(rows: Tensor) -> float:
    """Mean distance between two of them."""
    return float(torch.pdist(rows).mean())


def _nearest_distances(rows: Tensor) -> Tensor:
    return torch.cdist(rows, rows).fill_diagonal_(torch.inf).amin(1)


def count_nearest(reals: Tensor, others: Tensor) -> int:
    """How many of the first are the nearest one to some of the others."""
    return len(torch.cdist(others, reals).argmin(1).unique())


def probability_greater(left: Tensor, right: Tensor) -> float:
    """How often a number of the first list exceeds one of the second; ties count half.

    >>> probability_greater(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    0.875
    """
    difference = left[:, None] - right[None]
    return float(((difference.sign() + 1) / 2).mean())
