"""The Power Spherical distribution: much like von Mises-Fisher's, with closed forms that never under- or overflow.

    q(z) = (1 + <mean, z>)^kappa / C        C = 2^(alpha + beta) pi^beta Gamma(alpha) / Gamma(alpha + beta)

on the sphere S^(m-1) in R^m, with beta = (m - 1) / 2 and alpha = beta + kappa. The cosine w = <mean, z> is 2 t - 1 with t from
Beta(alpha, beta). We draw it by inverting its distribution function, as von Mises-Fisher's (`cosine.py`): one keyed uniform
number a draw.

References:
    De Cao & Aziz 2020, "The power spherical distribution", arXiv 2006.04437, sec. 3.
"""

import math

import torch
from torch import Tensor

from sparring.distances.cosine import Panels, Shape, cosines
from sparring.distances.sphere import around, log_surface_area


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
    """Draws z (n, b, m) in the type of `mean`, differentiable in mean and concentration, made of the given random numbers.

    Arguments: as of `von_mises_fisher.vmf_sample`.
    """
    return around(mean, *cosines(concentration, uniform, mean.shape[1], shape), noise)


def shape(kappa: Tensor, dimension: int, panels: Panels) -> Shape:
    """log p(s) = kappa log(1 + tanh(s)) - (m - 1) log cosh(s), around its mode; the score is log((1 + w) / (1 + a))."""
    freedom = dimension - 1
    mode, gap = kappa / (kappa + freedom), freedom / (kappa + freedom)
    log_below = torch.log(gap + mode * panels.above)  # 1 + mode tau
    score = panels.log_above - log_below
    return Shape(mode, gap, kappa * score - freedom * (panels.log_cosh + log_below), score)
