"""Networks and the training schedule that the recipes of image-to-image translators share, by the size of the images.

References: Isola et al. 2017, arXiv:1611.07004 (patch discriminator); Zhu et al. 2017, arXiv:1703.10593 (translator; Adam at
2e-4, 200 epochs, of which the second half decays linearly to 0).
"""

from dataclasses import replace
from typing import Any

from sparring.core.optimizers import Adam
from sparring.core.schedule import LinearSchedule
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.cycle import CycleConfig
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.parts.networks import PatchGAN, ResNetTranslator, UNet
from sparring.recipes.facts import TINY_DOMAINS, Facts

TRANSLATOR_EPOCHS = 200  # the papers'
TRANSLATOR_MIN_IMAGES, TRANSLATOR_MAX_IMAGES = 40_000, 400_000  # images of a run of the recipe's own length


def shorter_side(facts: Facts) -> int:
    """The shorter side of the images, in pixels."""
    return min(facts.spec.shape[1:])


def patch_discriminator(facts: Facts) -> PatchGAN:
    """PatchGAN with patches of a quarter to a half of the side: 70 pixels from 128 on, as in the papers."""
    patch = 70 if shorter_side(facts) >= 128 else 34 if shorter_side(facts) >= 48 else 16
    return PatchGAN(patch_size=patch, width=translator_width(facts), max_width=8 * translator_width(facts))


def translator_width(facts: Facts) -> int:
    """Channels of the first stage: the papers' 64 from 128 pixels on, fewer below."""
    return 64 if shorter_side(facts) >= 128 else 32 if shorter_side(facts) >= 48 else 16


def resnet_translator(facts: Facts) -> ResNetTranslator:
    """CycleGAN's translator: the paper's from 128 pixels on; below with fewer channels, 3 blocks, and nearest-neighbour
    up-sampling, as short runs do not unlearn the checkerboard of transposed convolutions.
    """
    large = shorter_side(facts) >= 128
    return ResNetTranslator(
        width=translator_width(facts), blocks=0 if large else 3, upsample="transposed" if large else "nearest"
    )


def translator_experiment(
    recipe: str, facts: Facts, game: Any, players: tuple[str, ...], **training: Any
) -> Experiment:
    """An image-to-image experiment with the papers' schedule: Adam at 2e-4 times the square root of the batch size, decaying
    linearly to 0 over the second half.
    """
    images = facts.length(
        min(max(TRANSLATOR_EPOCHS * facts.count, TRANSLATOR_MIN_IMAGES), TRANSLATOR_MAX_IMAGES)
    )
    half, batch = max(1, images // 2), 1 if shorter_side(facts) >= 128 else 4
    adam = Adam(
        lr=LinearSchedule(start=2e-4 * batch**0.5, end=0.0, delay=images - half, duration=half), beta1=0.5
    )
    chosen: dict[str, Any] = {"batch": batch, "sample_grid": 8}
    return Experiment(
        recipe=recipe,
        data=replace(facts.data, flip=True, random_crop=0.12),
        game=game,
        optimizers=dict.fromkeys(players, adam),
        training=TrainingConfig(total_images=images, **(chosen | training)),
    )


def tiny_translator(whole: Experiment) -> Experiment:
    """An image-to-image experiment with narrow networks, for tests."""
    game = whole.game
    assert isinstance(game, PairedConfig | CycleConfig | OneSidedConfig)
    thin: Any = (
        UNet(width=4)
        if isinstance(game.translator, UNet)
        else ResNetTranslator(width=4, blocks=1, downsamplings=1)
    )
    game = replace(game, translator=thin, discriminator=PatchGAN(patch_size=7, width=4))
    if isinstance(game, CycleConfig):
        game = replace(game, pool_size=6)
    if isinstance(game, OneSidedConfig):
        game = replace(game, layers=(0, 2, 3), num_patches=16, projection_size=8)
    return replace(
        whole, game=game, training=replace(whole.training, batch=4, total_images=TINY_DOMAINS.length(64))
    )
