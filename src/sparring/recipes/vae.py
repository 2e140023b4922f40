"""Variational autoencoder. Kingma & Welling 2014, arXiv:1312.6114.

New here: a likelihood instead of a judge; the encoder says how the code is distributed. Read games/variational.py, posteriors/,
likelihoods/, recipes/latent.py. The networks, Adam at 1e-3, batches of 64 and the warm-up of the KL term over 100 epochs (here: at
most a fifth of the run) are those of the N-VAE of Davidson et al. 2018 (arXiv:1804.00891, Table 1).
--set game.posterior.latent=20 changes the dimension. The row of pythae's benchmark: --set game.encoder.hidden=[400]
--set game.decoder.hidden=[400] --set game.posterior.latent=40 --set game.beta=1.0 --set optimizers.autoencoder.lr=1e-4 --batch 100,
on files that are black and white (--set game.likelihood.binarise=none).
Run: sparring train --recipe vae          Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.posteriors import Normal
from sparring.recipes.facts import TINY, Facts
from sparring.recipes.latent import size, tiny_of, variational


def experiment(facts: Facts) -> Experiment:
    return variational("vae", facts, Normal(latent=size(facts.spec)))


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
