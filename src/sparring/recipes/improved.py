"""Improved techniques for training GANs, the unsupervised part. Salimans et al. 2016, arXiv:1606.03498.

New here: one-sided label smoothing (sec. 3.4), minibatch discrimination (3.2), historical averaging (3.3).
Feature matching (3.1) is an objective of its own: `--set game.objective=feature_matching`. Read
parts/conditioning/minibatch.py, parts/penalties/historical_averaging.py. Deviation: the paper prints no
weight for historical averaging; ours is small. Run: sparring train --recipe improved
"""

from sparring.experiment import Experiment
from sparring.parts.conditioning import MinibatchDiscrimination
from sparring.parts.objectives import NonSaturating
from sparring.parts.penalties import HistoricalAveraging
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment(
        "improved",
        facts,
        objective=NonSaturating(smoothing=0.1),
        batch_features=MinibatchDiscrimination(kernels=50, dims=5),
        penalties=(HistoricalAveraging(weight=1e-3),),
        generator_penalties=(HistoricalAveraging(weight=1e-3),),
    )


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
