"""Distributions on the sphere S^d, which lies in R^m with m = d + 1: everything public under one name.

"d" means the intrinsic dimension (S^1 is the circle, S^2 the surface of a ball). All functions here take `dimension`, which is
m of the surrounding space; the posteriors take `latent`, which is d.

References: in the files that it names.
"""

from sparring.distances.bessel import bessel_ratio, log_bessel_i
from sparring.distances.power_spherical import (
    power_spherical_entropy,
    power_spherical_kl_to_uniform,
    power_spherical_log_density,
    power_spherical_sample,
)
from sparring.distances.sphere import log_surface_area
from sparring.distances.von_mises_fisher import vmf_kl_to_uniform, vmf_log_density, vmf_sample

__all__ = [
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
