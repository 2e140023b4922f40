"""LSGAN. Mao et al. 2017, arXiv:1611.04076.

New here: least squares, whose gradient does not vanish for samples on the right side but far away. Read
objectives/least_squares.py.
Run: sparring train --recipe lsgan
"""

from sparring.experiment import Experiment
from sparring.objectives import LeastSquares
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional("lsgan", facts, objective=LeastSquares())


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
