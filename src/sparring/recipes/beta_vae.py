"""Beta-VAE. Higgins et al. 2017, "beta-VAE: learning basic visual concepts with a constrained variational
framework".

New here: KL weighs 4 times: fewer numbers of the code are used, each for something of its own, and
reconstructions blur. The weight is a schedule: Burgess et al. 2018 (arXiv:1804.03599) raise the code's
capacity instead. All else as in `vae`. --set game.beta=10 changes the weight; the record's ELBO is that of
weight 1. Run: sparring train --recipe beta_vae Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.parts.posteriors import Normal
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import latent_size, tiny_autoencoder, vae_experiment


def experiment(facts: Facts) -> Experiment:
    return vae_experiment("beta_vae", facts, Normal(latent=latent_size(facts.spec)), beta=4.0)


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
