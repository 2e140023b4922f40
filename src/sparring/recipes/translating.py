"""What the recipes of translators share: networks that fit the size of the pictures, rates, lengths; and how they are made tiny."""

from dataclasses import replace
from typing import Any

from sparring.experiment import Experiment, Training
from sparring.games.cycle import CycleConfig
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.optim import Adam
from sparring.recipes.facts import TINY_SIDES, Facts
from sparring.schedule import Linear
from sparring.translators import PatchGan, ResnetTranslator, UNet

EPOCHS = 200  # the papers'
SHORTEST, LONGEST = 40_000, 400_000  # images of a run of the recipe's own length


def side(facts: Facts) -> int:
    """The shorter side of the pictures, in pixels."""
    return min(facts.spec.shape[1:])


def patches(facts: Facts) -> PatchGan:
    """The judge of patches of about a quarter to a half of a side: 70 pixels from 128 on, as in the papers."""
    patch = 70 if side(facts) >= 128 else 34 if side(facts) >= 48 else 16
    return PatchGan(patch=patch, width=width(facts), max_width=8 * width(facts))


def width(facts: Facts) -> int:
    """Channels of the first stage: the papers' 64 from 128 pixels on, fewer below."""
    return 64 if side(facts) >= 128 else 32 if side(facts) >= 48 else 16


def resnet(facts: Facts) -> ResnetTranslator:
    """CycleGAN's translator: the paper's from 128 pixels on; below with fewer channels, 3 blocks, and doubling without a
    checkerboard, which short runs do not unlearn.
    """
    large = side(facts) >= 128
    return ResnetTranslator(
        width=width(facts), blocks=0 if large else 3, upsample="transposed" if large else "nearest"
    )


def experiment(recipe: str, facts: Facts, game: Any, players: tuple[str, ...], **training: Any) -> Experiment:
    """A game of translators with the papers' rates: Adam at 2e-4 for each picture of a batch, added as noise is (by the square root
    of their number), which falls to 0 over the second half.
    """
    images = facts.length(min(max(EPOCHS * facts.count, SHORTEST), LONGEST))
    half, batch = max(1, images // 2), 1 if side(facts) >= 128 else 4
    adam = Adam(lr=Linear(start=2e-4 * batch**0.5, end=0.0, begin=images - half, over=half), beta1=0.5)
    chosen: dict[str, Any] = {"batch": batch, "grid": 8}
    return Experiment(
        recipe=recipe,
        data=replace(facts.data, flip=True, jitter=0.12),
        game=game,
        optimizers=dict.fromkeys(players, adam),
        training=Training(images=images, **(chosen | training)),
    )


def tiny_of(whole: Experiment) -> Experiment:
    """The same with the thinnest networks, for tests."""
    game = whole.game
    assert isinstance(game, PairedConfig | CycleConfig | OneSidedConfig)
    thin: Any = (
        UNet(width=4) if isinstance(game.translator, UNet) else ResnetTranslator(width=4, blocks=1, downs=1)
    )
    game = replace(game, translator=thin, discriminator=PatchGan(patch=7, width=4))
    if isinstance(game, CycleConfig):
        game = replace(game, pool=6)
    if isinstance(game, OneSidedConfig):
        game = replace(game, layers=(0, 2, 3), patches=16, features=8)
    return replace(whole, game=game, training=replace(whole.training, batch=4, images=TINY_SIDES.length(64)))
