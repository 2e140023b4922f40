"""Kernel distance: the unbiased squared maximum mean discrepancy with a cubic kernel (KID on Inception
features).
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from sparring.core.errors import ConfigError, DataError
from sparring.core.rng import make_generator
from sparring.metrics.checks import ArrayLike, check_features_keep_dtype
from sparring.metrics.pairwise import TILE_SIZE, tile_slices

SubsetIndices = tuple[Tensor, Tensor]  # indices of reals and of fakes


def kernel_distance(
    real: ArrayLike,
    fake: ArrayLike,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
    subsets_chosen: Iterable[SubsetIndices] | None = None,
) -> tuple[float, float]:
    """Kernel distance, the squared maximum mean discrepancy with a cubic kernel (KID on Inception features); lower is better.

        MMD^2 = E k(x, x') + E k(g, g') - 2 E k(x, g),    k(a, b) = (a.b / d + 1)^3,   x != x', g != g'

    averaged over random subsets, drawn without replacement from each set. The estimate is unbiased: few samples suffice,
    and samples of equal distributions may give values below 0.

    References: Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", arXiv 1801.01401, equation (4) and
        section 4 (Gretton et al. 2012 for the estimator).

    Arguments:
        real: features of real samples (n, d), `size` or more.
        fake: features of generated samples (m, d), `size` or more.
        subsets: how many (default 100, as in the paper).
        size: samples of each set in a subset (default 1,000, as in the paper).
        seed: of the choice of subsets.
        subsets_chosen: the subsets as pairs of index tensors, instead of the three arguments above.

    Returns:
        The mean over the subsets and its standard error, the standard deviation / sqrt(subsets). As the subsets share
        samples, this is the error of the average for these samples, not the spread over other samples.

    Raises:
        ConfigError: fewer than 2 subsets of 2. DataError: features that can't be used.
    """
    if subsets < 2 or size < 2:
        raise ConfigError(f"{subsets} subsets of {size}", "2 or more of 2 or more", "100 of 1,000 is usual")
    real, fake = check_features_keep_dtype(
        real, fake, size if subsets_chosen is None else 2, "kernel distance"
    )
    choices = list(
        _draw_subsets(len(real), len(fake), subsets, size, seed) if subsets_chosen is None else subsets_chosen
    )
    if len(choices) < 2:
        raise DataError(f"{len(choices)} chosen subsets", "2 or more", "give more, for a standard error")
    values = _subset_values(real, fake, choices)
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def kernel_distance_leaving_out(real: ArrayLike, fake: ArrayLike, blocks: Sequence[slice]) -> list[float]:
    """The unbiased estimate from all samples but one block of both sets, for each block: for a jackknife.

    The kernel of each pair of samples is computed once for all blocks.

    Arguments:
        real, fake: features (n, d) each.
        blocks: the rows to leave out, of both sets.

    Raises:
        DataError: features that can't be used.
    """
    real, fake = check_features_keep_dtype(real, fake, 2, "kernel distance")
    in_real, in_fake = (torch.ones(len(blocks), len(side), dtype=torch.float64) for side in (real, fake))
    for index, block in enumerate(blocks):
        in_real[index, block] = in_fake[index, block] = 0
    values: list[float] = _mmd_squared_of_subsets(real, fake, in_real, in_fake).tolist()
    return values


def mmd_squared(real: Tensor, fake: Tensor) -> float:
    """The unbiased estimate of MMD^2 between (n, d) and (m, d).

    >>> mmd_squared(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))  # 1 + 8 - 2
    7.0
    """
    everything = torch.ones(1, len(real)).double(), torch.ones(1, len(fake)).double()
    return _mmd_squared_of_subsets(real, fake, *everything).item()


def _subset_values(real: Tensor, fake: Tensor, choices: list[SubsetIndices]) -> Tensor:
    """MMD^2 of each subset (s,): from the kernel of all pairs, or subset by subset, whichever takes fewer products."""
    n, m = len(real), len(fake)
    if (n + m) ** 2 / 2 > sum((len(r) + len(f)) ** 2 / 2 for r, f in choices):
        return torch.tensor([mmd_squared(real[r], fake[f]) for r, f in choices], dtype=torch.float64)
    in_real = torch.stack([_membership_counts(r, n) for r, _ in choices])
    return _mmd_squared_of_subsets(
        real, fake, in_real, torch.stack([_membership_counts(f, m) for _, f in choices])
    )


def _mmd_squared_of_subsets(real: Tensor, fake: Tensor, in_real: Tensor, in_fake: Tensor) -> Tensor:
    """MMD^2 (s,) of s subsets, given by how often each row belongs to each: (s, n) and (s, m)."""
    s, t = in_real.sum(1), in_fake.sum(1)
    within = _within_sums(real, in_real) / (s * (s - 1)) + _within_sums(fake, in_fake) / (t * (t - 1))
    crossed = torch.zeros_like(s)
    for rows in tile_slices(len(real)):
        for columns in tile_slices(len(fake)):
            block = in_real[:, rows] @ _kernel(real[rows], fake[columns])
            crossed += (block * in_fake[:, columns]).sum(1)
    return within - 2 * crossed / (s * t)


def _within_sums(x: Tensor, in_x: Tensor) -> Tensor:
    """Sums of the kernel over the pairs of different samples of each subset (s,); each pair is computed once."""
    total = torch.zeros(len(in_x), dtype=torch.float64)
    for rows in tile_slices(len(x)):
        for columns in tile_slices(len(x))[rows.start // TILE_SIZE :]:
            kernel = _kernel(x[rows], x[columns])
            total += (in_x[:, rows] @ kernel * in_x[:, columns]).sum(1) * (1 if rows == columns else 2)
            if rows == columns:
                total -= in_x[:, rows] @ kernel.diagonal()
    return total


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    base = torch.mm(a.double(), b.double().T).div_(a.shape[1]).add_(1)
    return base * base * base


def _membership_counts(indices: Tensor, count: int) -> Tensor:
    return indices.bincount(minlength=count).double()


def _draw_subsets(n: int, m: int, subsets: int, size: int, seed: int) -> Iterable[SubsetIndices]:
    for number in range(subsets):
        draw = make_generator(seed, "kernel_distance", number)
        yield torch.randperm(n, generator=draw)[:size], torch.randperm(m, generator=draw)[:size]
