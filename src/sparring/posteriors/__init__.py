"""Posteriors: the families that an encoder chooses from, each with its prior. `latent` is the intrinsic dimension d."""

from sparring.posteriors.deterministic import Deterministic
from sparring.posteriors.normal import Normal
from sparring.posteriors.posterior import Distribution, Posterior
from sparring.posteriors.power_spherical import PowerSpherical
from sparring.posteriors.von_mises_fisher import VonMisesFisher

POSTERIORS: dict[str, type[Posterior]] = {
    "normal": Normal,
    "von_mises_fisher": VonMisesFisher,
    "power_spherical": PowerSpherical,
    "deterministic": Deterministic,
}

__all__ = [
    "POSTERIORS",
    "Deterministic",
    "Distribution",
    "Normal",
    "Posterior",
    "PowerSpherical",
    "VonMisesFisher",
]
