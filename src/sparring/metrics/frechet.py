"""Fréchet distance between two sets of features, each modelled as a Gaussian (FID on Inception features)."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, check_feature_matrix, check_features_keep_dtype

BLOCK_ROWS = 1024  # converted to float64 at once
SVD_MAX_SIZE = 512  # above which the nuclear norm is computed from eigenvalues,
EIGENVALUE_TOLERANCE = 1e-8  # if their relative error is below this


def frechet_distance(real: ArrayLike, fake: ArrayLike) -> float:
    """Fréchet distance between two sets of features, each modelled as a Gaussian (FID on Inception features); lower is better.

        FD = |m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^(1/2))

    It is a squared distance: 0 for equal moments, and proportional to the square of the scale of the features. It is
    biased: for equal distributions of unit variance in d dimensions it is about d^2 / 2n for n samples of each. So
    compare values at equal counts only, or use `frechet_infinity`.

    Computed in float64 with unbiased covariances. With S = F'F, Tr (S_r S_f)^(1/2) is the nuclear norm of F_r F_f', which
    stays exact for fewer samples than features, where the eigenvalues of S_r S_f are mostly noise.

    >>> x = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    >>> round(frechet_distance(x, x + 2), 5)
    16.0

    References:
        Dowson, Landau 1982, "The Fréchet distance between multivariate normal distributions".
        Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, "GANs trained by a two time-scale update rule converge to
            a local Nash equilibrium", arXiv 1706.08500, equation (6).

    Arguments:
        real: features of real samples (n, d), 2 or more.
        fake: features of generated samples (m, d), 2 or more.
    """
    first, second = check_features_keep_dtype(real, fake, 2, "Fréchet distance")
    return frechet_from_moments(Moments.from_features(first), Moments.from_features(second))


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Mean, covariance and count of a set of features: all that the Fréchet distance needs, and cheap to cache.

    Arguments:
        mean: (d,) in float64.
        covariance: unbiased (d, d) in float64.
        count: number of samples.
        centred: the centred samples (n, d) where they are fewer than the features, as a more accurate factor.
    """

    mean: Tensor
    covariance: Tensor
    count: int
    centred: Tensor | None = None

    @staticmethod
    def from_features(features: ArrayLike) -> "Moments":
        """The moments of features (n, d), n >= 2, computed block by block: a large float32 matrix is not copied to float64.

        >>> Moments.from_features(torch.tensor([[0.0, 1.0], [2.0, 1.0]])).covariance.tolist()
        [[2.0, 0.0], [0.0, 0.0]]
        """
        rows = check_feature_matrix(features, "the", 2, "a covariance")
        n, d = rows.shape
        mean = torch.stack([block.double().sum(0) for block in rows.split(BLOCK_ROWS)]).sum(0) / n
        covariance = torch.zeros(d, d, dtype=torch.float64)
        for block in rows.split(BLOCK_ROWS):
            centred = block.double() - mean
            covariance.addmm_(centred.T, centred)
        samples = rows.double() - mean if n <= d else None
        return Moments(mean=mean, covariance=covariance / (n - 1), count=n, centred=samples)

    @property
    def trace(self) -> float:
        """Trace of the covariance."""
        return self.covariance.trace().item()

    @cached_property
    def factor(self) -> Tensor:
        """F (r, d) with F'F the covariance."""
        if self.centred is not None:
            return self.centred / (self.count - 1) ** 0.5
        lower, failed = torch.linalg.cholesky_ex(self.covariance)
        return _covariance_factor(self.covariance) if failed.item() else lower.T


def frechet_from_moments(real: Moments, fake: Moments) -> float:
    """The Fréchet distance of two sets from their moments, at least 0.

    Arguments:
        real: moments of real features.
        fake: moments of generated features, of the same width.
    """
    if real.mean.shape != fake.mean.shape:
        raise DataError(
            f"moments of {len(real.mean)} real and of {len(fake.mean)} fake features",
            "the same number",
            "take both from the same extractor",
        )
    shift = (real.mean - fake.mean).square().sum().item()
    overlap = nuclear_norm(real.factor @ fake.factor.T)
    return max(0.0, shift + real.trace + fake.trace - 2 * overlap)


def nuclear_norm(matrix: Tensor) -> float:
    """Sum of the singular values of a float64 matrix (n, m).

    For large matrices it is computed from the eigenvalues of M M', four times as fast, if their error allows it: an
    eigenvalue has an absolute error e of the rounding of the largest one, its root s one of e / 2s.
    """
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    if len(small) <= SVD_MAX_SIZE:
        return torch.linalg.svdvals(small).sum().item()
    squares = torch.linalg.eigvalsh(small @ small.T).clamp_min_(0)
    values = squares.sqrt()
    noise = 4 * torch.finfo(torch.float64).eps * squares.max()
    error = torch.minimum(noise / values, noise.sqrt()).nan_to_num_().sum()
    if error <= EIGENVALUE_TOLERANCE * values.sum():
        return values.sum().item()
    return torch.linalg.svdvals(small).sum().item()


def _covariance_factor(covariance: Tensor) -> Tensor:
    """A factor of a rank-deficient covariance; directions at the level of rounding errors are left out."""
    values, vectors = torch.linalg.eigh(covariance)
    floor = len(values) * torch.finfo(torch.float64).eps * values.max().clamp_min(0)
    is_significant = values > floor
    return values[is_significant].sqrt()[:, None] * vectors[:, is_significant].T
