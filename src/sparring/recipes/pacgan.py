"""PacGAN. Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086.

New here: the discriminator judges packs of samples, so that a lack of variety shows. Read augment/packing.py.
Pictures: DCGAN's networks; points: the paper's own (Table 1, row PacGAN2).
Run: sparring train ring --recipe pacgan  Expect: docs/results.md, "Ring and grid".
"""

from sparring.experiment import Experiment
from sparring.recipes.convolutional import convolutional, tiny_of
from sparring.recipes.facts import TINY, Facts
from sparring.recipes.mixtures import mixture


def experiment(facts: Facts) -> Experiment:
    if not facts.spec.is_image:
        return mixture("pacgan", facts, packing=2)
    return convolutional("pacgan", facts, packing=2)


def tiny() -> Experiment:
    return tiny_of(experiment(TINY))
