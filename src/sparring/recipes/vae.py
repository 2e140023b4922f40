"""Variational autoencoder. Kingma & Welling 2014, arXiv:1312.6114.

New here: a likelihood instead of a discriminator; the encoder says how the code is distributed. Read
games/variational.py, posteriors/, likelihoods/, recipes/shared_autoencoder.py. The networks, Adam at 1e-3, batches of 64
and the warm-up of the KL term over 100 epochs (here: at most a fifth of the run) are those of the N-VAE of
Davidson et al. 2018 (arXiv:1804.00891, Table 1). --set game.posterior.latent=20 changes the dimension. The
row of pythae's benchmark: --set game.encoder.hidden=[400] --set game.decoder.hidden=[400] --set
game.posterior.latent=40 --set game.beta=1.0 --set optimizers.autoencoder.lr=1e-4 --batch 100, on files that
are black and white (--set game.likelihood.binarise=none). Run: sparring train --recipe vae Expect:
docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.parts.posteriors import Normal
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import latent_size, tiny_autoencoder, vae_experiment


def experiment(facts: Facts) -> Experiment:
    return vae_experiment("vae", facts, Normal(latent=latent_size(facts.spec)))


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
