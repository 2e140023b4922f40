"""AC-GAN. Odena, Olah, Shlens 2017, arXiv:1610.09585.

New here: the discriminator also classifies the label, and both players minimise the classification loss. Read
parts/conditioning/auxiliary.py, parts/objectives/auxiliary.py. Needs labelled data. Run: sparring train
--recipe acgan
"""

from sparring.experiment import Experiment
from sparring.parts.conditioning import Auxiliary
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment("acgan", facts, head=Auxiliary(), conditional=True)


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
