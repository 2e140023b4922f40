"""DCGAN. Radford, Metz, Chintala 2015, arXiv:1511.06434.

New here: convolutional networks that train. Read parts/networks/dcgan.py. The widths of PyTorch's example at
32x32; other sizes by rule. Run: sparring train --recipe dcgan Expect: docs/results.md, "Speed" and "Time to
quality".
"""

from sparring.experiment import Experiment
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    return dcgan_experiment("dcgan", facts, reuse_fakes=True)


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
