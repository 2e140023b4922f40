"""Conditional variational autoencoder. Sohn et al. 2015, "Learning structured output representation using
deep conditional generative models"; as a classifier by likelihood as in Kingma et al. 2014, arXiv:1406.5298,
sec. 3.1.

New here: encoder and decoder are conditioned on the label, so that the code need not encode it, and `sparring sample
--label` chooses it. Since p(x|y) can be estimated for each class, `sparring classify` asks under which of
them an image is most likely. Read games/variational.py, models/classifier.py. Networks and numbers are those
of `vae`. Needs labelled data. Run: sparring train --recipe cvae Expect: docs/generative-discriminative.md.
"""

from sparring.experiment import Experiment
from sparring.parts.posteriors import Normal
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import tiny_autoencoder, vae_experiment


def experiment(facts: Facts) -> Experiment:
    return vae_experiment("cvae", facts, Normal(latent=10), conditional=True)


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
