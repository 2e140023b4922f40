"""Precision, recall, density and coverage from k-nearest-neighbour balls."""

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.metrics.checks import ArrayLike, check_features
from sparring.metrics.pairwise import ROUNDING_SLACK, distance_tiles, nearest_within


def precision_recall_density_coverage(real: ArrayLike, fake: ArrayLike, k: int = 5) -> dict[str, float]:
    """Fidelity (precision, density) and diversity (recall, coverage) of generated samples; higher is better.

    With r(x) the distance from x to its k-th nearest neighbour in its own set, itself not counted, and strict "<":

        precision  share of generated samples in the ball r(x) of some real x
        recall     share of real samples in the ball r(g) of some generated g
        density    mean over generated samples of (number of real balls that contain it) / k;  may exceed 1
        coverage   share of real samples whose ball contains a generated sample

    Equal distributions do not give 1 throughout: coverage is then about 1 - 2^-k, density 1, and precision and recall fall
    with the dimension. Equal to the authors' package `prdc` in float64.

    Deviation: a distance that equals a radius up to rounding is not below it (exact copies make such ties).

    >>> line = torch.arange(12.0)[:, None]
    >>> precision_recall_density_coverage(line, line[:6] + 0.25, k=2)
    {'precision': 1.0, 'recall': 0.6666666666666666, 'density': 1.0833333333333333, 'coverage': 0.5833333333333334}

    References:
        Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved precision and recall metric for assessing generative
            models", arXiv 1904.06991, equations (1) and (2).
        Naeem, Oh, Uh, Choi, Yoo 2020, "Reliable fidelity and diversity metrics for generative models", arXiv 2002.09797,
            equations (4) and (5).

    Arguments:
        real: features of real samples (n, d), more than k.
        fake: features of generated samples (m, d), more than k.
        k: neighbours (default 5, as in Naeem et al.; Kynkäänniemi et al. use 3).

    Returns:
        precision, recall, density, coverage.

    Raises:
        ConfigError: k below 1. DataError: features that can't be used, or too few samples.
    """
    if k < 1:
        raise ConfigError(f"k = {k}", "1 or more neighbours", "5 is the usual value")
    real, fake = check_features(real, fake, k + 1, f"precision and recall with k = {k}")
    real_radii, fake_radii = knn_radii(real, k), knn_radii(fake, k)
    is_covered = torch.zeros(len(real), dtype=torch.bool)
    is_recalled, is_precise = is_covered.clone(), torch.zeros(len(fake), dtype=torch.bool)
    num_inside = 0
    for rows, columns, squares in distance_tiles(real, fake, ROUNDING_SLACK):
        in_real = squares < real_radii[rows, None]
        is_precise[columns] |= in_real.any(0)
        is_covered[rows] |= in_real.any(1)
        num_inside += int(in_real.sum())
        is_recalled[rows] |= (squares < fake_radii[columns]).any(1)
    return {
        "precision": _fraction(is_precise),
        "recall": _fraction(is_recalled),
        "density": (1 / k) * (num_inside / len(fake)),
        "coverage": _fraction(is_covered),
    }


def knn_radii(features: Tensor, k: int) -> Tensor:
    """Squared distance from each sample to its k-th nearest neighbour in the same set (n,), itself not counted."""
    return nearest_within(features, k + 1).squared_distances[:, -1]


def _fraction(hits: Tensor) -> float:
    return int(hits.sum()) / len(hits)
