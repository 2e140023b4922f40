"""The von Mises-Fisher posterior of the hyperspherical variational autoencoder, with the uniform prior."""

from dataclasses import dataclass

from torch import Tensor

from sparring.distances.hyperspherical import vmf_kl_to_uniform, vmf_log_density, vmf_sample
from sparring.posteriors import spherical
from sparring.posteriors.posterior import check_latent
from sparring.shapes import Latent

FAMILY = spherical.Family(vmf_sample, vmf_log_density, vmf_kl_to_uniform)


@dataclass(frozen=True, kw_only=True)
class VonMisesFisher:
    """Codes on the sphere S^d, which lies in R^(d+1): density ~ exp(kappa <mean, z>), the prior uniform on the sphere.

    kappa = softplus(raw) + 1 and the mean divided by its length, as in the paper. `latent` is d, as in its tables: the decoder
    sees d + 1 numbers. The KL does not depend on the mean, so that the prior pulls codes apart and not to one point.

    References:
        Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3 and 5.

    Arguments:
        latent: d, from 1 (the circle).

    >>> VonMisesFisher(latent=5).code, VonMisesFisher(latent=5).parameters
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
