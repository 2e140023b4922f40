"""Parzen-window log-likelihood, the protocol of 2014; kept for comparison, with a warning."""

import math

import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, check_features

COARSE_BANDWIDTHS = tuple(10 ** (step / 4) for step in range(-12, 9))  # 0.001 to 100
NUM_FINE_BANDWIDTHS = 9
BLOCK_VALUES = 5_000_000  # distances in memory at once: 40 MB, and as much again for the exponents


def parzen_log_likelihood(
    real: ArrayLike, fake: ArrayLike, *, validation: ArrayLike, bandwidths: tuple[float, ...] = ()
) -> dict[str, float]:
    """Mean log-density of real test samples under a Gaussian kernel density estimate of the generated ones.

        log p(x) = log 1/m sum_j N(x; fake_j, sigma^2 I)

    The bandwidth sigma maximises the mean log-density of other real samples (`validation`), never of `real`. Computed in
    float64, block by block. The estimate is poor in high dimension and can be gamed (Theis et al. 2016, "A note on the
    evaluation of generative models", arXiv 1511.01844, section 3.4): use it only to compare with papers that report it.

    Deviation: without `bandwidths` the grid is 0.001 to 100 in 21 steps, then 9 values around the best; the papers used
    ten values from 0.1 to 1.

    References: Goodfellow et al. 2014, arXiv 1406.2661, section 5 (protocol); Breuleux et al. 2011.

    Arguments:
        real: test samples (n, d); images as pixels in [0, 1], the units of published values.
        fake: generated samples (m, d) in the same units; usually 10,000.
        validation: real samples (v, d) from neither the test nor the training set.
        bandwidths: grid to choose sigma from.

    Returns:
        log_likelihood in nats; standard_error over the test samples; bandwidth.

    Raises:
        DataError: samples that can't be used, or a best bandwidth at the end of the default grid.
    """
    test, centres = check_features(real, fake, need=2, what="Parzen log-likelihood")
    held_out, _ = check_features(validation, fake, need=2, what="the choice of a bandwidth")
    best = _choose_bandwidth(held_out, centres, bandwidths)
    density = log_density(test, centres, [best])[0]
    error = density.std().item() / math.sqrt(len(density))
    return {"log_likelihood": density.mean().item(), "standard_error": error, "bandwidth": best}


def log_density(points: Tensor, centres: Tensor, bandwidths: list[float]) -> Tensor:
    """log 1/m sum_j N(points_i; centres_j, sigma^2 I) for each sigma: float64 (bandwidths, n).

    >>> zero = torch.zeros(1, 2, dtype=torch.float64)
    >>> round(log_density(zero, zero, [1.0]).item(), 4)  # - log 2 pi
    -1.8379

    Arguments:
        points: at which the density is evaluated (n, d), float64.
        centres: of the kernels (m, d), float64.
        bandwidths: sigma, in the units of the samples.
    """
    middle = centres.mean(0)
    points, centres = points - middle, centres - middle
    lengths, size = centres.square().sum(1), max(1, BLOCK_VALUES // len(centres))
    blocks = []
    for block in points.split(size):
        squares = torch.addmm(lengths, block, centres.T, alpha=-2).add_(block.square().sum(1, keepdim=True))
        squares.clamp_(min=0)
        blocks.append(torch.stack([_log_mean_kernel(squares, sigma) for sigma in bandwidths]))
    constants = [-points.shape[1] * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in bandwidths]
    return torch.cat(blocks, 1) + torch.tensor(constants, dtype=torch.float64)[:, None]


def _log_mean_kernel(squares: Tensor, sigma: float) -> Tensor:
    return torch.logsumexp(squares * (-0.5 / sigma**2), 1) - math.log(squares.shape[1])


def _choose_bandwidth(validation: Tensor, centres: Tensor, bandwidths: tuple[float, ...]) -> float:
    """The bandwidth of the highest mean log-density on the validation samples."""
    if bandwidths and not (all(0 < sigma < math.inf for sigma in bandwidths)):
        raise DataError(f"bandwidths {bandwidths}", "positive numbers", "a sigma in the units of the samples")
    grid = sorted(bandwidths) or list(COARSE_BANDWIDTHS)
    place = _best_bandwidth(validation, centres, grid)
    if bandwidths:
        return grid[place]
    if place in (0, len(grid) - 1):
        raise DataError(
            f"a best bandwidth of {grid[place]:g}, at the end of the grid",
            "a best one between 0.001 and 100",
            "scale pixels to [0, 1]; check whether the generated samples are copies of the validation samples",
        )
    low, high = grid[place - 1], grid[place + 1]
    fine = [
        low * (high / low) ** (step / (NUM_FINE_BANDWIDTHS + 1)) for step in range(1, NUM_FINE_BANDWIDTHS + 1)
    ]
    return fine[_best_bandwidth(validation, centres, fine)]


def _best_bandwidth(validation: Tensor, centres: Tensor, grid: list[float]) -> int:
    return int(log_density(validation, centres, grid).mean(1).argmax())
