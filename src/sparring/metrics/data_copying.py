"""The data-copying test: are generated samples closer to the training samples than held-out real samples are?"""

import torch
from torch import Tensor

from sparring.core.errors import ConfigError, DataError
from sparring.core.rng import make_generator
from sparring.metrics.checks import ArrayLike, check_feature_matrix, check_features
from sparring.metrics.pairwise import nearest_neighbours

KMEANS_ITERATIONS = 20  # of k-means
MIN_CELL_FAKES = 20  # generated samples in a cell that counts


def data_copying(
    real: ArrayLike, held_out: ArrayLike, fake: ArrayLike, cells: int = 1, seed: int = 0
) -> float:
    """A z-score for copies of training samples: far below 0 (about -3) where generated samples are nearer to the training
    samples than held-out samples are, near 0 where they are equally near, far above 0 where the generator underfits.

    With L the distance to the nearest training sample in the same cell, n held-out samples and m fakes in it:

        U = sum over (x, g) of [L(g) > L(x)] + [L(g) = L(x)] / 2       Z = (U - nm / 2) / sqrt(nm (n + m + 1) / 12)
        C_T = sum over cells of n Z / sum over cells of n

    The cells are those of k-means over the training samples; several cells reveal a generator that copies in some regions
    only. A cell counts if it holds at least 20 generated samples and a held-out one.

    >>> x = torch.arange(100.0)[:, None]
    >>> data_copying(x, x + 0.4, x + 0.3) < -10, data_copying(x, x + 0.4, x + 0.4)
    (True, 0.0)

    References: Meehan, Chaudhuri, Dasgupta 2020, "A non-parametric test to detect data-copying in generative models",
        arXiv 2004.05675, section 3.

    Arguments:
        real: features of the samples that were trained on (n, d).
        held_out: features of real samples that were not (p, d).
        fake: features of generated samples (m, d), 20 or more.
        cells: number of cells (default 1: the whole space).
        seed: of the initial centres of k-means.

    Raises:
        ConfigError: no cells. DataError: too few samples, or no cell that counts.
    """
    if cells < 1:
        raise ConfigError(f"{cells} cells", "1 or more", "10 suits some thousands of samples")
    check_feature_matrix(fake, "fake", MIN_CELL_FAKES, "the data-copying test")
    training, fresh = check_features(real, held_out, cells, "the data-copying test")
    training, fakes = check_features(real, fake, 1)
    centres = _kmeans_centres(training, cells, seed)
    cell_of = [nearest_neighbours(x, centres, 1).indices[:, 0] for x in (training, fresh, fakes)]
    total, weight = 0.0, 0
    for cell in range(len(centres)):
        t, p, q = (x[home == cell] for x, home in zip((training, fresh, fakes), cell_of, strict=True))
        if len(q) >= MIN_CELL_FAKES and len(p) and len(t):
            total += len(p) * mann_whitney_z(_nearest_squared_distance(p, t), _nearest_squared_distance(q, t))
            weight += len(p)
    if not weight:
        raise DataError(
            f"no cell of {cells} with {MIN_CELL_FAKES} fakes and a held-out sample",
            "one",
            "use fewer cells",
        )
    return total / weight


def mann_whitney_z(first: Tensor, second: Tensor) -> float:
    """z-score of the Mann-Whitney U test: above 0 where `second` (m,) tends to be larger than `first` (n,).

    >>> round(mann_whitney_z(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])), 4)  # 2 / sqrt(5 / 3)
    1.5492
    """
    n, m = len(first), len(second)
    ordered = first.sort().values
    below, up_to = (torch.searchsorted(ordered, second, right=right).sum().item() for right in (False, True))
    larger = (below + up_to) / 2
    return (larger - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5


def _nearest_squared_distance(queries: Tensor, targets: Tensor) -> Tensor:
    return nearest_neighbours(queries, targets, 1).squared_distances[:, 0]  # only their order matters


def _kmeans_centres(rows: Tensor, cells: int, seed: int) -> Tensor:
    """Centres of k-means (cells, d), initialised with random rows."""
    centres = rows[torch.randperm(len(rows), generator=make_generator(seed, "data_copying"))[:cells]]
    if cells == 1:
        return centres
    for _ in range(KMEANS_ITERATIONS):
        home = nearest_neighbours(rows, centres, 1).indices[:, 0]
        counts = home.bincount(minlength=cells)[:, None]
        means = torch.zeros_like(centres).index_add_(0, home, rows) / counts.clamp_min(1)
        centres = torch.where(counts > 0, means, centres)
    return centres
