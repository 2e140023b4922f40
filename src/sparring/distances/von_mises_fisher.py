"""The von Mises-Fisher distribution: a normal distribution's like on the sphere S^(m-1) in R^m.

    q(z) = exp(kappa <mean, z>) / (M_v(kappa) S_m)        v = m / 2 - 1, S_m: area of the sphere

where M_v(kappa) = Gamma(v + 1) (2 / kappa)^v I_v(kappa) is 1 at kappa = 0: the uniform distribution.

References:
    Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3. We evaluate the Bessel
    functions in log space and differentiate the draws implicitly (`bessel.py`, `cosine.py` say how, and why).
"""

import torch
from torch import Tensor

from sparring.distances.bessel import differentiable, evaluate, log_m
from sparring.distances.cosine import Panels, Shape, cosines
from sparring.distances.sphere import around, log_surface_area
from sparring.errors import ConfigError


def vmf_kl_to_uniform(concentration: Tensor, dimension: int) -> Tensor:
    """KL(vMF(mean, kappa) || uniform) = kappa r_v(kappa) - log M_v(kappa), in nats; differentiable.

    Exact to 1e-8 of its own value for m from 2 to 1,024 and kappa from 1e-3 to 1e5.

    Arguments:
        concentration: kappa >= 0, any shape.
        dimension: m of the surrounding R^m; S^d has m = d + 1.

    Shape: that of `concentration`, float64.

    >>> round(float(vmf_kl_to_uniform(torch.tensor(1e-3), 512)) / (1e-6 / 1024), 6)  # kappa^2 / (2 m) where kappa is small
    1.0
    """
    kappa = concentration.double()
    known = kappa.detach()
    values = evaluate(_order(dimension), known)
    return differentiable(kappa, known * values.ratio - values.log_m, known * values.slope)


def vmf_log_density(z: Tensor, mean: Tensor, concentration: Tensor) -> Tensor:
    """log q(z) with respect to the area of the sphere, in nats, float64 (..., b).

    Arguments:
        z: unit vectors (..., b, m).
        mean: (b, m), of length 1.
        concentration: kappa (b,).
    """
    dimension, kappa = mean.shape[1], concentration.double()
    cosine = (z.double() * mean.double()).sum(-1)
    return kappa * cosine - log_m(_order(dimension), kappa) - log_surface_area(dimension)


def vmf_sample(mean: Tensor, concentration: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
    """Draws z (n, b, m) in the type of `mean`, differentiable in mean and concentration, made of the given random numbers.

    Arguments:
        mean: (b, m), of length 1.
        concentration: kappa (b,).
        uniform: (b, n), inside of (0, 1): gives the angle between z and the mean.
        noise: (b, n, m - 1), standard normal: gives the direction away from it.
    """
    _order(mean.shape[1])
    return around(mean, *cosines(concentration, uniform, mean.shape[1], shape), noise)


def shape(kappa: Tensor, dimension: int, panels: Panels) -> Shape:
    """log p(s) = kappa tanh(s) - (m - 1) log cosh(s), around its mode; the score is w less its value there."""
    freedom = dimension - 1
    root = torch.hypot(2 * kappa, torch.full_like(kappa, freedom))
    mode = 2 * kappa / (freedom + root)
    gap = freedom * (1 + freedom / (root + 2 * kappa)) / (freedom + root)  # 1 - mode
    below = torch.addcmul(gap, mode, panels.above)  # 1 + mode tau
    share = panels.tau / below
    log_density = freedom * (mode * share - torch.log(below) - panels.log_cosh)
    return Shape(mode, gap, log_density, gap * (1 + mode) * share)


def _order(dimension: int) -> float:
    if dimension < 2:
        raise ConfigError(
            f"dimension={dimension}", "m >= 2, of the R^m around the sphere", "give d + 1 for the sphere S^d"
        )
    return dimension / 2 - 1
