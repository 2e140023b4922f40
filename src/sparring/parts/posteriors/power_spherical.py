"""Power Spherical posterior with the uniform prior: sampling, density, entropy, KL in closed form.

    q(z) = (1 + <mean, z>)^kappa / C        C = 2^(alpha + beta) pi^beta Gamma(alpha) / Gamma(alpha + beta)

on the sphere S^(m-1) in R^m, with beta = (m - 1) / 2 and alpha = beta + kappa. The cosine w = <mean, z> is 2
t - 1 with t from Beta(alpha, beta). We draw it by inverting its distribution function, as von Mises-Fisher's
(`cosine.py`): one keyed uniform number a draw.

References:
    De Cao & Aziz 2020, "The power spherical distribution", arXiv 2006.04437, sec. 3.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.shapes import Latent
from sparring.parts.posteriors import sphere
from sparring.parts.posteriors.base import check_latent
from sparring.parts.posteriors.implicit_reparameterization import (
    CosineDensity,
    QuadraturePanels,
    sample_cosines,
)
from sparring.parts.posteriors.sphere import log_surface_area, unit_vectors_around


def _log_normaliser(kappa: Tensor, dimension: int) -> Tensor:
    beta = (dimension - 1) / 2
    alpha = beta + kappa
    log_gammas = torch.lgamma(alpha) - torch.lgamma(alpha + beta)
    return (alpha + beta) * math.log(2) + beta * math.log(math.pi) + log_gammas


def power_spherical_log_density(z: Tensor, mean: Tensor, concentration: Tensor) -> Tensor:
    """log q(z) with respect to the area of the sphere, in nats, float64 (..., b).

    Arguments:
        z: unit vectors (..., b, m).
        mean: (b, m), of length 1.
        concentration: kappa (b,).
    """
    kappa = concentration.double()
    cosine = (z.double() * mean.double()).sum(-1).clamp_min(-1 + 1e-14)
    return kappa * torch.log1p(cosine) - _log_normaliser(kappa, mean.shape[1])


def power_spherical_entropy(concentration: Tensor, dimension: int) -> Tensor:
    """log C - kappa (log 2 + digamma(alpha) - digamma(alpha + beta)), in nats, float64, the shape of `concentration`.

    Arguments:
        concentration: kappa >= 0, any shape.
        dimension: m of the surrounding R^m; S^d has m = d + 1.
    """
    kappa, beta = concentration.double(), (dimension - 1) / 2
    digammas = torch.digamma(beta + kappa) - torch.digamma(2 * beta + kappa)
    return _log_normaliser(kappa, dimension) - kappa * (math.log(2) + digammas)


def power_spherical_kl_to_uniform(concentration: Tensor, dimension: int) -> Tensor:
    """KL(q || uniform): the log of the sphere's area less the entropy, in nats, float64; differentiable.

    Arguments: as of `power_spherical_entropy`. It is a difference: right to 1e-12 in absolute terms at moderate kappa.
    """
    return log_surface_area(dimension) - power_spherical_entropy(concentration, dimension)


def power_spherical_sample(mean: Tensor, concentration: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
    """Samples z (n, b, m) in the type of `mean` from random numbers, differentiable in mean and concentration.

    Arguments: as of `von_mises_fisher.vmf_sample`.
    """
    return unit_vectors_around(
        mean, *sample_cosines(concentration, uniform, mean.shape[1], power_spherical_cosine_density), noise
    )


def power_spherical_cosine_density(kappa: Tensor, dimension: int, panels: QuadraturePanels) -> CosineDensity:
    """log p(s) = kappa log(1 + tanh(s)) - (m - 1) log cosh(s), around its mode; the score is log((1 + w) / (1 + a))."""
    freedom = dimension - 1
    mode, gap = kappa / (kappa + freedom), freedom / (kappa + freedom)
    log_below = torch.log(gap + mode * panels.above)  # 1 + mode tau
    score = panels.log_above - log_below
    return CosineDensity(mode, gap, kappa * score - freedom * (panels.log_cosh + log_below), score)


POWER_SPHERICAL_FAMILY = sphere.SphericalFamily(
    power_spherical_sample, power_spherical_log_density, power_spherical_kl_to_uniform
)


@dataclass(frozen=True, kw_only=True)
class PowerSpherical:
    """Codes on the sphere S^d, which lies in R^(d+1): density ~ (1 + <mean, z>)^kappa, the prior uniform on the sphere.

    kappa = softplus(raw) + 1 and the mean divided by its length, as for von Mises-Fisher. All closed forms are of gamma functions
    and the KL costs less.

    References:
        De Cao & Aziz 2020, "The power spherical distribution", arXiv 2006.04437, sec. 3.

    Arguments:
        latent: d, from 1 (the circle).

    >>> PowerSpherical(latent=5).code_size, PowerSpherical(latent=5).num_parameters
    (6, 7)
    """

    latent: int = 10

    def __post_init__(self) -> None:
        check_latent(self.latent, sphere.MAX_DIMENSION)

    @property
    def code_size(self) -> int:
        return self.latent + 1

    @property
    def num_parameters(self) -> int:
        return self.latent + 2

    @property
    def prior_std(self) -> float:
        return float(self.code_size**-0.5)

    def distribution(self, raw: Tensor) -> sphere.SphericalDistribution:
        return sphere.SphericalDistribution(
            POWER_SPHERICAL_FAMILY, *sphere.direction_and_concentration(raw, self.code_size)
        )

    def prior(self, z: Latent) -> Latent:
        return sphere.project_to_sphere(z)
