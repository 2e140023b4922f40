"""CycleGAN. Zhu, Park, Isola & Efros 2017, arXiv:1703.10593.

New here: translation between two unpaired sets of images: two translators that are trained to invert each other
(weight 10), two discriminators with least squares and pools of 50 earlier images. Read
games/cycle.py, games/image_pool.py, parts/networks/resnet_translator.py. Numbers: the paper's (batch 1, Adam
2e-4, 200 epochs, the rate falling to 0 over the second half) from 128 pixels on; smaller images have fewer
channels, 3 blocks, smaller patches, batches of 4 at 4e-4. Identity (weight 5) only where both domains have as
many channels; --set game.identity=0 lets colours change more, and is a third faster. Run: sparring train A B
--recipe cyclegan Expect: docs/image-to-image.md.
"""

from sparring.experiment import Experiment
from sparring.games.cycle import CycleConfig
from sparring.recipes import shared_translator
from sparring.recipes.facts import TINY_DOMAINS, Facts


def experiment(facts: Facts) -> Experiment:
    alike = facts.spec.shape_b is None or facts.spec.shape_b[0] == facts.spec.shape[0]
    game = CycleConfig(
        translator=shared_translator.resnet_translator(facts),
        discriminator=shared_translator.patch_discriminator(facts),
        identity=5.0 if alike else 0.0,
    )
    return shared_translator.translator_experiment("cyclegan", facts, game, ("translators", "discriminators"))


def tiny() -> Experiment:
    return shared_translator.tiny_translator(experiment(TINY_DOMAINS))
