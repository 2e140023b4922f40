"""Statistics of a small batch of samples: diversity, near-duplicates, coverage, clipped pixels, AUC.

They are cheap enough to be computed during training. All take and return float64.
"""

import torch
from torch import Tensor

NEAR_DUPLICATE_FRACTION = 0.1  # of the median distance between neighbouring real samples
CLIPPED_VALUE = 0.99  # of the largest absolute value of a pixel in [-1, 1]
MIN_DISTANCE = 1e-12  # against division by 0


def batch_statistics(real: Tensor, other_real: Tensor, fake: Tensor) -> dict[str, float]:
    """Compare a batch of generated samples with two batches of real ones.

    >>> x = torch.arange(4.0)[:, None]
    >>> batch_statistics(x, x, torch.ones(4, 1))
    {'diversity': 0.0, 'near_duplicates': 1.0, 'coverage': 0.25}

    Arguments:
        real: real samples (n, *sample), n >= 2; images in [-1, 1].
        other_real: real samples drawn independently of `real`.
        fake: generated samples.

    Returns:
        diversity: mean distance between two generated samples, divided by that between two real ones.
        near_duplicates: share of generated samples whose nearest generated sample is nearer than a tenth of the median
            distance between neighbouring real samples.
        coverage: number of real samples that are the nearest one of a generated sample, divided by the number that
            are the nearest one of another real sample.
        clipped_pixels, clipped_pixels_real: share of pixel values at an end of the range; of images alone.
    """
    reals, others, fakes = (samples.flatten(1).double() for samples in (real, other_real, fake))
    threshold = NEAR_DUPLICATE_FRACTION * _nearest_distances(reals).median()
    statistics = {
        "diversity": mean_pairwise_distance(fakes) / max(mean_pairwise_distance(reals), MIN_DISTANCE),
        "near_duplicates": float((_nearest_distances(fakes) < threshold).double().mean()),
        "coverage": count_nearest(reals, fakes) / count_nearest(reals, others),
    }
    if real.ndim == 4:
        statistics["clipped_pixels"] = _clipped_fraction(fakes)
        statistics["clipped_pixels_real"] = _clipped_fraction(reals)
    return statistics


def mean_pairwise_distance(rows: Tensor) -> float:
    """Mean Euclidean distance between two rows of (n, d), n >= 2.

    >>> mean_pairwise_distance(torch.tensor([[0.0], [1.0], [3.0]]))
    2.0
    """
    return float(torch.pdist(rows).mean())


def _nearest_distances(rows: Tensor) -> Tensor:
    return torch.cdist(rows, rows).fill_diagonal_(torch.inf).amin(1)


def _clipped_fraction(values: Tensor) -> float:
    return float((values.abs() > CLIPPED_VALUE).double().mean())


def count_nearest(targets: Tensor, queries: Tensor) -> int:
    """Number of rows of `targets` (n, d) that are the nearest one of some row of `queries` (m, d).

    >>> count_nearest(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [2.0]]))
    1
    """
    return len(torch.cdist(queries, targets).argmin(1).unique())


def probability_greater(left: Tensor, right: Tensor) -> float:
    """Probability that a value of `left` (n,) exceeds one of `right` (m,), ties counting half: the area under the ROC
    curve (AUC).

    >>> probability_greater(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    0.875

    References: Mann & Whitney 1947, "On a test of whether one of two random variables is stochastically larger than
        the other", doi:10.1214/aoms/1177730491.
    """
    difference = left[:, None] - right[None]
    return float(((difference.sign() + 1) / 2).mean())
