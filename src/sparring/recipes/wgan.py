"""Wasserstein GAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875, Algorithm 1.

New here: the critic estimates the earth mover's distance, made Lipschitz by clipping its weights; five critic
steps to one of the generator; RMSProp. Read parts/objectives/wasserstein.py, parts/penalties/weight_clip.py.
Run: sparring train --recipe wgan
"""

from sparring.core.optimizers import RMSProp
from sparring.experiment import Experiment
from sparring.parts.objectives import Wasserstein
from sparring.parts.penalties import WeightClip
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment(
        "wgan",
        facts,
        RMSProp(lr=5e-5),
        objective=Wasserstein(),
        constraints=(WeightClip(limit=0.01),),
        critic_steps=5,
    )


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
