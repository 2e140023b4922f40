"""pix2pix. Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004.

New here: translation learned from pairs: a U-Net, a judge of patches that sees both sides of a pair, and the mean absolute distance
to the partner at weight 100. Read games/paired.py, translators/unet.py, translators/patchgan.py.
Numbers: the paper's (batch 1, Adam 2e-4, 200 epochs, pictures jittered and mirrored) from 128 pixels on; smaller pictures have
fewer stages and channels, smaller patches and batches of 4 at 4e-4. Deviations: instance normalisation in the judge, no dropout
in use, the averaged translator is kept. --set game.adversarial=0 is regression without a judge.
Run: sparring train PAIRS --recipe pix2pix      Expect: docs/picture-to-picture.md.
"""

from sparring.experiment import Experiment
from sparring.games.paired import PairedConfig
from sparring.recipes import translating
from sparring.recipes.facts import TINY_SIDES, Facts
from sparring.translators import UNet


def experiment(facts: Facts) -> Experiment:
    width = translating.width(facts)
    game = PairedConfig(
        translator=UNet(width=width, max_width=8 * width), discriminator=translating.patches(facts)
    )
    return translating.experiment("pix2pix", facts, game, ("translator", "discriminator"))


def tiny() -> Experiment:
    return translating.tiny_of(experiment(TINY_SIDES))
