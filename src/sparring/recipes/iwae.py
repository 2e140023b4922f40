"""Importance weighted autoencoder. Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519.

New here: 50 codes a sample, weighted by how well they explain it: a tighter bound, a richer posterior, more
active units. Read `iwae_terms` in games/variational.py. The code of 50 numbers is the paper's;
networks, optimizer and batch as in `vae`, without its warm-up. --set game.importance_samples=5 changes the
number of codes. Run: sparring train --recipe iwae Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.parts.posteriors import Normal
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import tiny_autoencoder, vae_experiment


def experiment(facts: Facts) -> Experiment:
    latent = 50 if facts.spec.is_image else 2
    return vae_experiment("iwae", facts, Normal(latent=latent), importance_samples=50, beta=1.0)


def tiny() -> Experiment:
    return tiny_autoencoder(
        vae_experiment("iwae", TINY_IMAGES, Normal(latent=5), importance_samples=3, beta=1.0)
    )
