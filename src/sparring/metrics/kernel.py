"""Kernel distance: the squared maximum mean discrepancy with a cubic kernel (KID, on Inception's features)."""

from collections.abc import Iterable

import torch
from torch import Tensor

from sparring.errors import ConfigError, DataError
from sparring.keyed import generator
from sparring.metrics.checked import Table, pair

Choice = tuple[Tensor, Tensor]  # indices of reals and of fakes


def kernel_distance(
    real: Table,
    fake: Table,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
    chosen: Iterable[Choice] | None = None,
) -> tuple[float, float]:
    """How far apart two sets of features are; unbiased, so that few samples will do and equal sets may give less than 0.

        MMD^2 = E k(x, x') + E k(g, g') - 2 E k(x, g),    k(a, b) = (a.b / d + 1)^3,   x != x', g != g'

    averaged over random subsets, drawn without replacement from each set.

    References: Binkowski, Sutherland, Arbel, Gretton 2018, "Demystifying MMD GANs", arXiv 1801.01401, equation (4) and
        section 4 (Gretton et al. 2012 for the estimator).

    Arguments:
        real: features of real samples (n, d), `size` or more.
        fake: features of generated samples (m, d), `size` or more.
        subsets: how many (default 100, as in the paper).
        size: samples of each set in a subset (default 1,000, as in the paper).
        seed: of the choice of subsets.
        chosen: the subsets themselves, as pairs of index tensors, instead of the three settings above.

    Result: the mean over the subsets and its standard error (standard deviation / sqrt(subsets); as the subsets share
        samples it says how well the average is known, not how it would vary with other samples).
    """
    if subsets < 2 or size < 2:
        raise ConfigError(f"{subsets} subsets of {size}", "2 or more of 2 or more", "100 of 1,000 is usual")
    real, fake = pair(real, fake, size if chosen is None else 2, "kernel distance")
    choices = _choices(len(real), len(fake), subsets, size, seed) if chosen is None else chosen
    values = torch.tensor(
        [discrepancy(real[r].double(), fake[f].double()) for r, f in choices], dtype=torch.float64
    )
    if len(values) < 2:
        raise DataError(f"{len(values)} chosen subsets", "2 or more", "give more, for a standard error")
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def discrepancy(real: Tensor, fake: Tensor) -> float:
    """The unbiased estimate of MMD^2 between (n, d) and (m, d), both float64.

    >>> discrepancy(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))  # 1 + 8 - 2
    7.0
    """
    n, m = len(real), len(fake)
    against_real = _kernel(torch.cat([real, fake]), real)  # two products instead of three
    fakes = _kernel(fake, fake)
    reals, crossed = against_real[:n], against_real[n:]
    within = _off_diagonal(reals) / (n * (n - 1)) + _off_diagonal(fakes) / (m * (m - 1))
    return (within - 2 * crossed.mean()).item()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    base = torch.mm(a, b.T).div_(a.shape[1]).add_(1)
    return base * base * base


def _off_diagonal(kernel: Tensor) -> Tensor:
    return kernel.sum() - kernel.trace()


def _choices(n: int, m: int, subsets: int, size: int, seed: int) -> Iterable[Choice]:
    for number in range(subsets):
        draw = generator(seed, "kernel_distance", number)
        yield torch.randperm(n, generator=draw)[:size], torch.randperm(m, generator=draw)[:size]
