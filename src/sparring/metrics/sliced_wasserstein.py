"""Sliced Wasserstein distance: optimal transport along random lines."""

import math

import torch
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.metrics.checks import ArrayLike, as_tensor, check_features

BLOCK = 64  # projections at once


def sliced_wasserstein_distance(
    real: ArrayLike, fake: ArrayLike, *, projections: int = 512, seed: int = 0
) -> tuple[float, float]:
    """The squared sliced 2-Wasserstein distance, the mean over random projections; lower is better.

        SW^2 = E_theta W^2(theta . real, theta . fake),   theta uniform on the sphere
        W^2(a, b) = int_0^1 (F_a^-1(u) - F_b^-1(u))^2 du

    Each 1-D distance is exact, by sorting; with unequal counts the integral runs over the steps of both quantile
    functions. A shift by v gives |v|^2 / d. It makes no assumption on the distributions and works with few samples; but
    two samples of one distribution are not at distance 0: compare with real against real samples at the same counts.

    References: Rabin, Peyré, Delon, Bernot 2011, "Wasserstein barycenter and its application to texture mixing",
        doi:10.1007/978-3-642-24785-9_37.

    >>> square = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    >>> sliced_wasserstein_distance(square, square)
    (0.0, 0.0)

    Arguments:
        real: samples (n, *sample), which are flattened: features, points, or pixels.
        fake: samples (m, *sample).
        projections: number of random directions.
        seed: of the directions.

    Returns:
        The distance, and its standard error over the projections (not over the samples).

    Raises:
        ConfigError: fewer than 2 projections. DataError: samples that can't be used.
    """
    if projections < 2:
        raise ConfigError(f"projections {projections}", "2 or more", "512 is usual")
    first, second = check_features(
        _flatten(real, "real"), _flatten(fake, "fake"), what="sliced Wasserstein distance"
    )
    random = rng.make_generator(seed, "sliced Wasserstein")
    theta = torch.randn(first.shape[1], projections, generator=random, dtype=torch.float64)
    theta /= theta.norm(dim=0)
    steps = _quantile_steps(len(first), len(second))
    squares = torch.cat(
        [_squared_distances_1d(first @ part, second @ part, steps) for part in theta.split(BLOCK, 1)]
    )
    return squares.mean().item(), squares.std().item() / math.sqrt(projections)


def _flatten(samples: ArrayLike, name: str) -> Tensor:
    rows = as_tensor(samples, name)
    return rows.flatten(1) if rows.ndim > 2 else rows


def _quantile_steps(n: int, m: int) -> tuple[Tensor, Tensor, Tensor]:
    """The intervals on which both quantile functions are constant: rank in the first, rank in the second, length."""
    ends = torch.cat([torch.arange(n) * m, torch.arange(m) * n]).unique()  # in units of 1 / (n m)
    lengths = torch.diff(ends, append=torch.tensor([n * m]))
    return ends // m, ends // n, lengths.double() / (n * m)


def _squared_distances_1d(first: Tensor, second: Tensor, steps: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Exact squared 1-D distances of each column (projections,)."""
    ranks, others, lengths = steps
    gaps = first.sort(0).values[ranks] - second.sort(0).values[others]
    return lengths @ gaps.square()
