"""WGAN-GP. Gulrajani et al. 2017, arXiv:1704.00028, Algorithm 1.

New here: the one-centred gradient penalty in place of clipping; no batch normalisation in the critic. Read
penalties/one_centred.py.
Run: sparring train --recipe wgan_gp
"""

from sparring.experiment import Experiment
from sparring.networks.dcgan import DCGANDiscriminator
from sparring.objectives import Wasserstein
from sparring.optim import Adam
from sparring.penalties import OneCentred
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional(
        "wgan_gp",
        facts,
        Adam(lr=1e-4, beta1=0.0, beta2=0.9),
        discriminator=DCGANDiscriminator(norm="none"),
        objective=Wasserstein(),
        penalties=(OneCentred(weight=10.0),),
        critic_steps=5,
    )


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
