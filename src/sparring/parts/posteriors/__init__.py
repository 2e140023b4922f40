"""Posteriors: families of distributions q(z|x) for an encoder, each with its prior. `latent` is the intrinsic
dimension d.
"""

from sparring.parts.posteriors.base import Distribution, Posterior
from sparring.parts.posteriors.bessel import bessel_ratio, log_bessel_i
from sparring.parts.posteriors.deterministic import Deterministic
from sparring.parts.posteriors.normal import Normal
from sparring.parts.posteriors.power_spherical import (
    PowerSpherical,
    power_spherical_entropy,
    power_spherical_kl_to_uniform,
    power_spherical_log_density,
    power_spherical_sample,
)
from sparring.parts.posteriors.sphere import log_surface_area
from sparring.parts.posteriors.von_mises_fisher import (
    VonMisesFisher,
    vmf_kl_to_uniform,
    vmf_log_density,
    vmf_sample,
)

POSTERIORS: dict[str, type[Posterior]] = {
    "normal": Normal,
    "von_mises_fisher": VonMisesFisher,
    "power_spherical": PowerSpherical,
    "deterministic": Deterministic,
}


__all__ = [
    "Deterministic",
    "Distribution",
    "Normal",
    "POSTERIORS",
    "Posterior",
    "PowerSpherical",
    "VonMisesFisher",
    "bessel_ratio",
    "log_bessel_i",
    "log_surface_area",
    "power_spherical_entropy",
    "power_spherical_kl_to_uniform",
    "power_spherical_log_density",
    "power_spherical_sample",
    "vmf_kl_to_uniform",
    "vmf_log_density",
    "vmf_sample",
]
