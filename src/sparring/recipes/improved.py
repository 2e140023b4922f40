"""Improved techniques for training GANs, the unsupervised part. Salimans et al. 2016, arXiv:1606.03498.

New here: one-sided label smoothing (sec. 3.4), minibatch discrimination (3.2), historical averaging (3.3).
Feature matching (3.1) is an objective of its own: `--set game.objective=feature_matching`. Read
conditioning/batch.py, penalties/historical.py.
Deviation: the paper prints no weight for historical averaging; ours keeps it a nudge.
Run: sparring train --recipe improved
"""

from sparring.conditioning import Discrimination
from sparring.experiment import Experiment
from sparring.objectives import NonSaturating
from sparring.penalties import Historical
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional(
        "improved",
        facts,
        objective=NonSaturating(smoothing=0.1),
        batch_features=Discrimination(kernels=50, dims=5),
        penalties=(Historical(weight=1e-3),),
        generator_penalties=(Historical(weight=1e-3),),
    )


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
