"""AC-GAN. Odena, Olah, Shlens 2017, arXiv:1610.09585.

New here: the discriminator also names the class, and both players want it named right. Read
conditioning/auxiliary.py, objectives/auxiliary.py. Needs labelled data.
Run: sparring train --recipe acgan
"""

from sparring.conditioning import Auxiliary
from sparring.experiment import Experiment
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional("acgan", facts, head=Auxiliary(), conditional=True)


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
