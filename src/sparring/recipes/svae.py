"""Hyperspherical variational autoencoder. Davidson, Falorsi, De Cao, Kipf & Tomczak 2018, arXiv:1804.00891.

New here: codes on a sphere, von Mises-Fisher posteriors, a uniform prior, which does not pull all codes to
one point. Read parts/posteriors/__init__.py, parts/posteriors/von_mises_fisher.py. All else as in `vae`,
which is the paper's N-VAE. `latent` is d of the sphere S^d in R^(d+1): a code has d + 1 numbers. --set
game.posterior.type=power_spherical is the numerically simpler family. Run: sparring train --recipe svae Expect:
docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.parts.posteriors import VonMisesFisher
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import latent_size, tiny_autoencoder, vae_experiment


def experiment(facts: Facts) -> Experiment:
    return vae_experiment("svae", facts, VonMisesFisher(latent=latent_size(facts.spec)))


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
