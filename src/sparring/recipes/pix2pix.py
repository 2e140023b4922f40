"""pix2pix. Isola, Zhu, Zhou & Efros 2017, arXiv:1611.07004.

New here: translation learned from pairs: a U-Net, a PatchGAN discriminator that sees both sides of a pair,
and the mean absolute distance to the partner at weight 100. Read games/paired.py, parts/networks/unet.py,
parts/networks/patchgan.py. Numbers: the paper's (batch 1, Adam 2e-4, 200 epochs, images jittered and
mirrored) from 128 pixels on; smaller images have fewer stages and channels, smaller patches and batches of 4
at 4e-4. Deviations: instance normalisation in the discriminator, no dropout in use, the EMA translator
is used. --set game.adversarial=0 is regression without a discriminator. Run: sparring train PAIRS --recipe
pix2pix Expect: docs/image-to-image.md.
"""

from sparring.experiment import Experiment
from sparring.games.paired import PairedConfig
from sparring.parts.networks import UNet
from sparring.recipes import shared_translator
from sparring.recipes.facts import TINY_DOMAINS, Facts


def experiment(facts: Facts) -> Experiment:
    width = shared_translator.translator_width(facts)
    game = PairedConfig(
        translator=UNet(width=width, max_width=8 * width),
        discriminator=shared_translator.patch_discriminator(facts),
    )
    return shared_translator.translator_experiment("pix2pix", facts, game, ("translator", "discriminator"))


def tiny() -> Experiment:
    return shared_translator.tiny_translator(experiment(TINY_DOMAINS))
