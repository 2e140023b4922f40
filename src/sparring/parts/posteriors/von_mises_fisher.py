"""Von Mises-Fisher posterior of the hyperspherical VAE with the uniform prior: sampling, density, KL.

    q(z) = exp(kappa <mean, z>) / (M_v(kappa) S_m)        v = m / 2 - 1, S_m: area of the sphere

where M_v(kappa) = Gamma(v + 1) (2 / kappa)^v I_v(kappa) is 1 at kappa = 0: the uniform distribution.

References:
    Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3. The Bessel functions
    are evaluated in log space (`bessel.py`), samples are differentiated implicitly (`implicit_reparameterization.py`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.shapes import Latent
from sparring.parts.posteriors import sphere
from sparring.parts.posteriors.base import check_latent
from sparring.parts.posteriors.bessel import evaluate_bessel, log_normalised_bessel, with_derivative
from sparring.parts.posteriors.implicit_reparameterization import (
    CosineDensity,
    QuadraturePanels,
    sample_cosines,
)
from sparring.parts.posteriors.sphere import log_surface_area, unit_vectors_around


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
    values = evaluate_bessel(_bessel_order(dimension), known)
    return with_derivative(kappa, known * values.ratio - values.log_m, known * values.derivative)


def vmf_log_density(z: Tensor, mean: Tensor, concentration: Tensor) -> Tensor:
    """log q(z) with respect to the area of the sphere, in nats, float64 (..., b).

    Arguments:
        z: unit vectors (..., b, m).
        mean: (b, m), of length 1.
        concentration: kappa (b,).
    """
    dimension, kappa = mean.shape[1], concentration.double()
    cosine = (z.double() * mean.double()).sum(-1)
    return (
        kappa * cosine - log_normalised_bessel(_bessel_order(dimension), kappa) - log_surface_area(dimension)
    )


def vmf_sample(mean: Tensor, concentration: Tensor, uniform: Tensor, noise: Tensor) -> Tensor:
    """Samples z (n, b, m) in the type of `mean` from random numbers, differentiable in mean and concentration.

    Arguments:
        mean: (b, m), of length 1.
        concentration: kappa (b,).
        uniform: (b, n), inside of (0, 1): gives the angle between z and the mean.
        noise: (b, n, m - 1), standard normal: gives the direction away from it.
    """
    _bessel_order(mean.shape[1])
    return unit_vectors_around(
        mean, *sample_cosines(concentration, uniform, mean.shape[1], vmf_cosine_density), noise
    )


def vmf_cosine_density(kappa: Tensor, dimension: int, panels: QuadraturePanels) -> CosineDensity:
    """log p(s) = kappa tanh(s) - (m - 1) log cosh(s), around its mode; the score is w less its value there."""
    freedom = dimension - 1
    root = torch.hypot(2 * kappa, torch.full_like(kappa, freedom))
    mode = 2 * kappa / (freedom + root)
    gap = freedom * (1 + freedom / (root + 2 * kappa)) / (freedom + root)  # 1 - mode
    below = torch.addcmul(gap, mode, panels.above)  # 1 + mode tau
    share = panels.tau / below
    log_density = freedom * (mode * share - torch.log(below) - panels.log_cosh)
    return CosineDensity(mode, gap, log_density, gap * (1 + mode) * share)


def _bessel_order(dimension: int) -> float:
    if dimension < 2:
        raise ConfigError(
            f"dimension={dimension}", "m >= 2, of the R^m around the sphere", "give d + 1 for the sphere S^d"
        )
    return dimension / 2 - 1


VMF_FAMILY = sphere.SphericalFamily(vmf_sample, vmf_log_density, vmf_kl_to_uniform)


@dataclass(frozen=True, kw_only=True)
class VonMisesFisher:
    """Codes on the sphere S^d, which lies in R^(d+1): density ~ exp(kappa <mean, z>), the prior uniform on the sphere.

    kappa = softplus(raw) + 1 and the mean divided by its length, as in the paper. `latent` is d, as in its tables: the decoder
    sees d + 1 numbers. The KL does not depend on the mean, so that the prior pulls codes apart and not to one point.

    References:
        Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3 and 5.

    Arguments:
        latent: d, from 1 (the circle).

    >>> VonMisesFisher(latent=5).code_size, VonMisesFisher(latent=5).num_parameters
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
            VMF_FAMILY, *sphere.direction_and_concentration(raw, self.code_size)
        )

    def prior(self, z: Latent) -> Latent:
        return sphere.project_to_sphere(z)
