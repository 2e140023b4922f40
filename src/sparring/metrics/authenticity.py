"""Authenticity: the share of generated samples that are not near copies of training samples; nearest real
samples.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.metrics.checks import ArrayLike, check_feature_matrix, check_features
from sparring.metrics.pairwise import nearest_neighbours

PAIR_BLOCK = 256  # pairs whose difference is computed at once


class NearestReal(NamedTuple):
    """The real samples nearest to each generated one, the nearest first: indices and Euclidean distances, both (m, k)."""

    indices: Tensor
    distances: Tensor


def authenticity(real: ArrayLike, fake: ArrayLike) -> float:
    """Share of generated samples that are not near-copies of a training sample; higher is better.

    A fake g with nearest real t is authentic where some other real is closer to t than g is:

        min over real t' != t of |t - t'|  <  |t - g|

    Fresh samples of the real distribution do not score 1 (a third on a line, 0.38 in a plane, a half or more in many
    dimensions), a copier scores 0: compare with the value of held-out real samples. A copy that is jittered by more than
    the distance between reals goes unnoticed.

    >>> line = torch.arange(4.0)[:, None]
    >>> authenticity(line, torch.tensor([[0.1], [2.0], [4.5], [9.0]]))
    0.5

    References: Alaa, van Breugel, Saveliev, van der Schaar 2022, "How faithful is your synthetic data?",
        arXiv 2102.08921 (authenticity, by their nearest-neighbour test).

    Arguments:
        real: features of the samples that were trained on (n, d), 2 or more.
        fake: features of generated samples (m, d).
    """
    check_feature_matrix(real, "real", 2, "authenticity")
    real, fake = check_features(real, fake, 1)
    nearest = _nearest_real(real, fake, 1)
    matched, where = nearest.indices[:, 0].unique(return_inverse=True)
    others = nearest_neighbours(
        real[matched], real, 2
    ).indices  # one of them is the sample itself, or a copy of it
    others = torch.where(others[:, :1] == matched[:, None], others[:, 1:], others[:, :1])
    to_other = _distances(real[matched], real, others)[:, 0]
    return (to_other[where] < nearest.distances[:, 0]).double().mean().item()


def nearest_real(real: ArrayLike, fake: ArrayLike, k: int = 1) -> NearestReal:
    """The k real samples nearest to each generated one, for a sheet of nearest images.

    >>> nearest_real(torch.tensor([[0.0], [3.0], [9.0]]), torch.tensor([[4.0]]), k=2).indices.tolist()
    [[1, 0]]

    Arguments:
        real: features of real samples (n, d), k or more.
        fake: features of generated samples (m, d).
        k: how many for each.
    """
    if k < 1:
        raise ConfigError(f"k = {k}", "1 or more nearest samples", "raise k")
    check_feature_matrix(real, "real", k, f"a search for the {k} nearest")
    real, fake = check_features(real, fake, 1)
    return _nearest_real(real, fake, k)


def _nearest_real(real: Tensor, fake: Tensor, k: int) -> NearestReal:
    """Searched tile by tile; the distances are then recomputed by subtraction, so that a copy is at exactly 0."""
    found = nearest_neighbours(fake, real, k).indices.sort(dim=1).values
    distances, order = _distances(fake, real, found).sort(dim=1, stable=True)
    return NearestReal(found.gather(1, order), distances)


def _distances(queries: Tensor, targets: Tensor, indices: Tensor) -> Tensor:
    """Distances (m, k) of each query (m, d) to the rows `indices` (m, k) of `targets` (n, d)."""
    blocks = zip(queries.split(PAIR_BLOCK), indices.split(PAIR_BLOCK), strict=True)
    return torch.cat([torch.linalg.vector_norm(rows[:, None] - targets[to], dim=2) for rows, to in blocks])
