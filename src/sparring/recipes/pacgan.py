"""PacGAN. Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086.

New here: the discriminator sees packs of samples, so that a lack of variety shows. Read
parts/augmentation/packing.py. Images: DCGAN's networks; points: the paper's own (Table 1, row PacGAN2). Run:
sparring train ring --recipe pacgan Expect: docs/results.md, "Ring and grid".
"""

from sparring.experiment import Experiment
from sparring.recipes.facts import TINY_IMAGES, Facts
from sparring.recipes.shared_gan import dcgan_experiment, mixture_experiment, tiny_dcgan


def experiment(facts: Facts) -> Experiment:
    if not facts.spec.is_image:
        return mixture_experiment("pacgan", facts, packing=2)
    return dcgan_experiment("pacgan", facts, packing=2)


def tiny() -> Experiment:
    return tiny_dcgan(experiment(TINY_IMAGES))
