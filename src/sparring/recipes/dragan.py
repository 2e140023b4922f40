"""DRAGAN. Kodali et al. 2017, arXiv:1705.07215, Algorithm 1.

New here: a gradient penalty in a neighbourhood of the data alone, with the usual loss. Read
penalties/dragan.py.
Deviation: no batch normalisation in the discriminator, whose slope would not be that of one sample.
Run: sparring train --recipe dragan
"""

from sparring.experiment import Experiment
from sparring.networks.dcgan import DCGANDiscriminator
from sparring.optim import Adam
from sparring.penalties import Dragan
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional(
        "dragan",
        facts,
        Adam(lr=1e-4, beta1=0.5),
        discriminator=DCGANDiscriminator(norm="none"),
        penalties=(Dragan(weight=10.0),),
    )


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
