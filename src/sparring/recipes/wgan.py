"""Wasserstein GAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875, Algorithm 1.

New here: the critic estimates the earth mover's distance, kept Lipschitz by clipping its weights; five
critic steps to one of the generator; RMSProp. Read objectives/wasserstein.py, penalties/weight_clip.py.
Run: sparring train --recipe wgan
"""

from sparring.experiment import Experiment
from sparring.objectives import Wasserstein
from sparring.optim import RMSProp
from sparring.penalties import WeightClip
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional(
        "wgan",
        facts,
        RMSProp(lr=5e-5),
        objective=Wasserstein(),
        constraints=(WeightClip(limit=0.01),),
        critic_steps=5,
    )


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
