"""Kernel distance: the squared maximum mean discrepancy with a cubic kernel (KID, on Inception's features)."""

from collections.abc import Iterable

import torch
from torch import Tensor

from sparring.errors import ConfigError, DataError
from sparring.keyed import generator
from sparring.metrics.checked import Table, pair
from sparring.metrics.tiles import SIDE, spans

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
    choices = list(_choices(len(real), len(fake), subsets, size, seed) if chosen is None else chosen)
    if len(choices) < 2:
        raise DataError(f"{len(choices)} chosen subsets", "2 or more", "give more, for a standard error")
    values = _values(real, fake, choices)
    return values.mean().item(), (values.std() / len(values) ** 0.5).item()


def discrepancy(real: Tensor, fake: Tensor) -> float:
    """The unbiased estimate of MMD^2 between (n, d) and (m, d).

    >>> discrepancy(torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [1.0]]))  # 1 + 8 - 2
    7.0
    """
    everything = torch.ones(1, len(real)).double(), torch.ones(1, len(fake)).double()
    return _discrepancies(real, fake, *everything).item()


def _values(real: Tensor, fake: Tensor, choices: list[Choice]) -> Tensor:
    """One value a subset: out of the kernel of all pairs, or subset by subset, whichever has fewer products."""
    n, m = len(real), len(fake)
    if (n + m) ** 2 / 2 > sum((len(r) + len(f)) ** 2 / 2 for r, f in choices):
        return torch.tensor([discrepancy(real[r], fake[f]) for r, f in choices], dtype=torch.float64)
    in_real = torch.stack([_counts(r, n) for r, _ in choices])
    return _discrepancies(real, fake, in_real, torch.stack([_counts(f, m) for _, f in choices]))


def _discrepancies(real: Tensor, fake: Tensor, in_real: Tensor, in_fake: Tensor) -> Tensor:
    """MMD^2 (s,) of s subsets, told by how often each row is in each: (s, n) and (s, m)."""
    s, t = in_real.sum(1), in_fake.sum(1)
    within = _own_sums(real, in_real) / (s * (s - 1)) + _own_sums(fake, in_fake) / (t * (t - 1))
    crossed = torch.zeros_like(s)
    for rows in spans(len(real)):
        for columns in spans(len(fake)):
            block = in_real[:, rows] @ _kernel(real[rows], fake[columns])
            crossed += (block * in_fake[:, columns]).sum(1)
    return within - 2 * crossed / (s * t)


def _own_sums(x: Tensor, in_x: Tensor) -> Tensor:
    """Sums of the kernel over each subset's pairs (s,), no sample with itself; each pair is computed once."""
    total = torch.zeros(len(in_x), dtype=torch.float64)
    for rows in spans(len(x)):
        for columns in spans(len(x))[rows.start // SIDE :]:
            kernel = _kernel(x[rows], x[columns])
            total += (in_x[:, rows] @ kernel * in_x[:, columns]).sum(1) * (1 if rows == columns else 2)
            if rows == columns:
                total -= in_x[:, rows] @ kernel.diagonal()
    return total


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    base = torch.mm(a.double(), b.double().T).div_(a.shape[1]).add_(1)
    return base * base * base


def _counts(indices: Tensor, count: int) -> Tensor:
    return indices.bincount(minlength=count).double()


def _choices(n: int, m: int, subsets: int, size: int, seed: int) -> Iterable[Choice]:
    for number in range(subsets):
        draw = generator(seed, "kernel_distance", number)
        yield torch.randperm(n, generator=draw)[:size], torch.randperm(m, generator=draw)[:size]
