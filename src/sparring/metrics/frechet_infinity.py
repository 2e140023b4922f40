"""Fréchet distance extrapolated to infinitely many generated samples."""

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.rng import make_generator
from sparring.metrics.checks import ArrayLike, check_feature_matrix
from sparring.metrics.frechet import Moments, frechet_from_moments

NUM_SIZES = 15
MIN_FAKES, MAX_SMALLEST_SUBSET = 20, 5000  # generated samples; upper limit of the size of the smallest subset


def frechet_infinity(
    real: ArrayLike | Moments, fake: ArrayLike, seed: int = 0, points: int = NUM_SIZES
) -> tuple[float, float]:
    """The Fréchet distance extrapolated to infinitely many generated samples, which removes their bias.

        FD(N) = FD_inf + c / N,    fitted by least squares to random subsets of N = N_1, ..., n fakes

    N takes evenly spaced values from min(5000, max(n // 10, 2)) to n. The bias of the real moments remains. The linear
    model holds only for N well above the number of features; below, the result may even be negative.

    References: Chong, Forsyth 2020, "Effectively unbiased FID and Inception Score and where to find them",
        arXiv 1911.07023, section 3. Deviation: the latents are not quasi-random.

    Arguments:
        real: features of real samples (n, d), or their `Moments`.
        fake: features of generated samples (m, d), 20 or more.
        seed: of the choice of subsets.
        points: number of subset sizes, 3 or more.

    Returns:
        The intercept, and its standard error from the residuals (an underestimate, as the subsets share samples).

    Raises:
        ConfigError: too few points. DataError: features that can't be used.
    """
    if points < 3:
        raise ConfigError(f"{points} points", "3 or more, for a line and its error", f"{NUM_SIZES} is usual")
    rows = check_feature_matrix(fake, "fake", MIN_FAKES, "the extrapolated Fréchet distance")
    moments = (
        real
        if isinstance(real, Moments)
        else Moments.from_features(check_feature_matrix(real, "real", 2, "Fréchet distance"))
    )
    counts = subset_sizes(len(rows), points)
    values = [
        frechet_from_moments(moments, Moments.from_features(_subset(rows, count, seed, i)))
        for i, count in enumerate(counts)
    ]
    return fit_intercept(
        1 / torch.tensor(counts, dtype=torch.float64), torch.tensor(values, dtype=torch.float64)
    )


def subset_sizes(count: int, points: int = NUM_SIZES) -> list[int]:
    """Sizes of the subsets of `count` samples, ascending.

    >>> subset_sizes(10_000, 3), subset_sizes(100, 4)
    ([1000, 5500, 10000], [10, 40, 70, 100])
    """
    first = min(MAX_SMALLEST_SUBSET, max(count // 10, 2))
    return [first + (count - first) * step // (points - 1) for step in range(points)]


def fit_intercept(x: Tensor, y: Tensor) -> tuple[float, float]:
    """The value at x = 0 of the line through the points (x, y), and its standard error.

    >>> fit_intercept(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([5.0, 7.0, 9.0]))
    (3.0, 0.0)
    """
    centred = x - x.mean()
    spread = centred.square().sum()
    c = (centred * y).sum() / spread
    value = y.mean() - c * x.mean()
    residual = (y - value - c * x).square().sum() / (len(x) - 2)
    error = (residual * (1 / len(x) + x.mean().square() / spread)).sqrt()
    return value.item(), error.item()


def _subset(rows: Tensor, count: int, seed: int, point: int) -> Tensor:
    if count == len(rows):
        return rows
    draw = make_generator(seed, "frechet_infinity", point)
    return rows[torch.randperm(len(rows), generator=draw)[:count]]
