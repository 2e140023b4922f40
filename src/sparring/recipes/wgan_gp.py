"""WGAN-GP. Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1.

New here: the one-centred gradient penalty in place of clipping; no batch normalisation in the critic. Read
parts/penalties/gradient_penalty.py. Run: sparring train --recipe wgan_gp
"""

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment
from sparring.parts.networks.dcgan import DCGANDiscriminator
from sparring.parts.objectives import Wasserstein
from sparring.parts.penalties import GradientPenalty
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment(
        "wgan_gp",
        facts,
        Adam(lr=1e-4, beta1=0.0, beta2=0.9),
        discriminator=DCGANDiscriminator(norm="none"),
        objective=Wasserstein(),
        penalties=(GradientPenalty(weight=10.0),),
        critic_steps=5,
    )


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
