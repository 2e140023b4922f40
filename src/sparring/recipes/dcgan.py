"""DCGAN. Radford, Metz, Chintala 2015, arXiv:1511.06434.

New here: convolutional networks that train. Read networks/dcgan.py. The widths of PyTorch's example at
32x32; other sizes by rule.
Run: sparring train --recipe dcgan        Expect: docs/results.md, "Speed" and "Time to quality".
"""

from sparring.experiment import Experiment
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts


def experiment(facts: Facts) -> Experiment:
    return convolutional("dcgan", facts, shared_fakes=True)


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
