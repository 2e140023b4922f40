"""LSGAN. Mao et al. 2017, arXiv:1611.04076.

New here: least squares, whose gradient does not vanish for samples on the right side but far away. Read
parts/objectives/least_squares.py. Run: sparring train --recipe lsgan
"""

from sparring.experiment import Experiment
from sparring.parts.objectives import LeastSquares
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment("lsgan", facts, objective=LeastSquares())


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
