"""Hyperspherical variational autoencoder. Davidson, Falorsi, De Cao, Kipf & Tomczak 2018, arXiv:1804.00891.

New here: codes on a sphere, von Mises-Fisher posteriors, a uniform prior, which does not pull all codes to one point. Read
distances/hyperspherical.py, posteriors/von_mises_fisher.py. All else as in `vae`, which is the paper's N-VAE.
`latent` is d of the sphere S^d in R^(d+1): a code has d + 1 numbers. --set game.posterior.type=power_spherical is the stable twin.
Run: sparring train --recipe svae         Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.posteriors import VonMisesFisher
from sparring.recipes.facts import TINY, Facts
from sparring.recipes.latent import size, tiny_of, variational


def experiment(facts: Facts) -> Experiment:
    return variational("svae", facts, VonMisesFisher(latent=size(facts.spec)))


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
