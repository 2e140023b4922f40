"""DRAGAN. Kodali et al. 2017, arXiv:1705.07215, Algorithm 1.

New here: a gradient penalty in a neighbourhood of the data alone, with the usual loss. Read
parts/penalties/dragan.py. Deviation: no batch normalisation in the discriminator, whose gradient would not be
that of one sample. Run: sparring train --recipe dragan
"""

from sparring.core.optimizers import Adam
from sparring.experiment import Experiment
from sparring.parts.networks.dcgan import DCGANDiscriminator
from sparring.parts.penalties import DRAGAN
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment(
        "dragan",
        facts,
        Adam(lr=1e-4, beta1=0.5),
        discriminator=DCGANDiscriminator(norm="none"),
        penalties=(DRAGAN(weight=10.0),),
    )


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
