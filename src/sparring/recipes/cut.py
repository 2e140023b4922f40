"""CUT. Park, Efros, Zhang & Zhu 2020, arXiv:2007.15651.

New here: translation without pairs, one way only: features of a patch of the output, by the translator's
own encoder, must match those of the input patch at the same position among all others (256 patches, tau 0.07). Read
games/one_sided.py. Numbers: the paper's from 128 pixels on; smaller images as in cyclegan. FastCUT, twice as
fast: --set game.nce=10 game.identity=0. Run: sparring train A B --recipe cut Expect: docs/image-to-image.md.
"""

from sparring.experiment import Experiment
from sparring.games.one_sided import OneSidedConfig
from sparring.recipes import shared_translator
from sparring.recipes.facts import TINY_DOMAINS, Facts


def experiment(facts: Facts) -> Experiment:
    translator = shared_translator.resnet_translator(facts)
    deepest = 8 if translator.blocks == 0 else 3 + translator.blocks
    game = OneSidedConfig(
        translator=translator,
        discriminator=shared_translator.patch_discriminator(facts),
        layers=(0, 2, 3, 4, deepest),
    )
    return shared_translator.translator_experiment(
        "cut", facts, game, ("translator", "heads", "discriminator")
    )


def tiny() -> Experiment:
    return shared_translator.tiny_translator(experiment(TINY_DOMAINS))
