"""The Power Spherical posterior: the stable twin of von Mises-Fisher's, with the uniform prior."""

from dataclasses import dataclass

from torch import Tensor

from sparring.distances.hyperspherical import (
    power_spherical_kl_to_uniform,
    power_spherical_log_density,
    power_spherical_sample,
)
from sparring.posteriors import spherical
from sparring.posteriors.posterior import check_latent
from sparring.shapes import Latent

FAMILY = spherical.Family(power_spherical_sample, power_spherical_log_density, power_spherical_kl_to_uniform)


@dataclass(frozen=True, kw_only=True)
class PowerSpherical:
    """Codes on the sphere S^d, which lies in R^(d+1): density ~ (1 + <mean, z>)^kappa, the prior uniform on the sphere.

    kappa = softplus(raw) + 1 and the mean divided by its length, as for von Mises-Fisher. All closed forms are of gamma functions
    and the KL costs less.

    References:
        De Cao & Aziz 2020, "The power spherical distribution", arXiv 2006.04437, sec. 3.

    Arguments:
        latent: d, from 1 (the circle).

    >>> PowerSpherical(latent=5).code, PowerSpherical(latent=5).parameters
    (6, 7)
    """

    latent: int = 10

    def __post_init__(self) -> None:
        check_latent(self.latent, spherical.LARGEST)

    @property
    def code(self) -> int:
        return self.latent + 1

    @property
    def parameters(self) -> int:
        return self.latent + 2

    @property
    def spread(self) -> float:
        return float(self.code**-0.5)

    def distribution(self, raw: Tensor) -> spherical.SphericalDistribution:
        return spherical.SphericalDistribution(FAMILY, *spherical.direction_and_concentration(raw, self.code))

    def prior(self, z: Latent) -> Latent:
        return spherical.on_sphere(z)
