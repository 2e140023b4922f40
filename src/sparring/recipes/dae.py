"""Denoising autoencoder. Vincent, Larochelle, Bengio & Manzagol 2008, "Extracting and composing robust
features with denoising autoencoders"; its density in Alain & Bengio 2014, arXiv:1211.4246.

New here: the encoder sees a corrupted image, the decoder has to give back the whole one. A quarter of the
values are masked, as in the paper's experiments (one of its levels). All else as in `ae`; one layer of codes
instead of a stack. --set game.corruption=gaussian --set game.noise=0.5 adds normal noise instead. Run:
sparring train --recipe dae Expect: docs/results.md, "Latent-variable models".
"""

from sparring.experiment import Experiment
from sparring.recipes.ae import autoencoder_experiment
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_autoencoder import tiny_autoencoder


def experiment(facts: Facts) -> Experiment:
    return autoencoder_experiment("dae", facts, corruption="masking", noise=0.25)


def tiny() -> Experiment:
    return tiny_autoencoder(experiment(TINY_IMAGES))
