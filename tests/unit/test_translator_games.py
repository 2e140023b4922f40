"""Games of translators: the pool of earlier images, the contrast of patches, and what is refused."""

import math
from dataclasses import replace

import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.core.game import Batch
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import SampleSpec
from sparring.games.cycle import CycleConfig
from sparring.games.image_pool import ImagePool
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.games.patch_terms import psnr
from sparring.parts.augmentation import DiffAugment
from sparring.parts.networks import PatchGAN, ResNetTranslator, UNet
from sparring.parts.objectives import Relativistic
from sparring.parts.objectives.patch_nce import patch_nce
from sparring.parts.penalties import R1, HistoricalAveraging
from sparring.recipes.table import TINY_RECIPES
from sparring.training.previews import translation_sheet
from sparring.training.state import TrainState
from tests.helpers import toy

GREY_AND_COLOUR = SampleSpec(shape=(1, 16, 16), shape_b=(3, 16, 16))
ALIKE = SampleSpec(shape=(3, 16, 16), shape_b=(3, 16, 16))
NETWORKS = {
    "translator": ResNetTranslator(width=4, blocks=1, downsamplings=1),
    "discriminator": PatchGAN(patch_size=7, width=4),
}
PAIRED = PairedConfig(translator=UNet(width=4), discriminator=PatchGAN(patch_size=7, width=4))


def batch(spec, step=0, turn=0, count=4):
    draws = torch.Generator().manual_seed(step)
    x, other = (torch.rand(count, *shape, generator=draws) * 2 - 1 for shape in (spec.shape, spec.shape_b))
    return Batch(x=x, y=None, x_b=other, rng=KeyedRandom(0, (step, turn, 0), count), images=0, step=step)


def grey_images(*values):
    """Images of one grey level each."""
    return torch.tensor(values).div(127.5).sub(1).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


class TestHistory:
    def test_a_pool_that_is_not_full_returns_its_input(self):
        pool = ImagePool(4, (1, 2, 2))
        for step in range(2):
            fresh = grey_images(2 * step, 2 * step + 1)
            assert torch.equal(pool.query(fresh, KeyedRandom(0, (step,), 2), "a"), fresh)
        assert int(pool.count) == 4
        assert sorted(pool.pictures[:, 0, 0, 0].tolist()) == [0, 1, 2, 3]

    def test_no_image_is_lost_or_doubled(self):
        """Half of what comes in stays, and as much of what was there comes out."""
        pool, returned, swapped = ImagePool(10, (1, 2, 2)), [], 0
        for step in range(60):
            fresh = grey_images(4 * step % 240, 4 * step % 240 + 1, 4 * step % 240 + 2, 4 * step % 240 + 3)
            out = pool.query(fresh, KeyedRandom(0, (step,), 4), "a")
            returned += [round(float(v)) for v in (out[:, 0, 0, 0] + 1) * 127.5]
            swapped += int((out != fresh).flatten(1).any(1).sum())
        inside = pool.pictures[:, 0, 0, 0].tolist()
        assert sorted({*returned, *inside}) == list(range(240))
        filled = 10  # those given back at once and kept as well
        assert len(returned) + len(inside) - filled == 240
        assert 0.35 < swapped / (240 - filled) < 0.65

    def test_the_processes_and_parts_of_a_batch_take_different_places(self):
        pool = ImagePool(8, (1, 2, 2))
        pool.query(grey_images(*range(8)), KeyedRandom(0, (0,), 8), "a")
        for rows in (slice(0, 4), slice(4, 8)):
            pool.query(
                grey_images(*range(100 + rows.start, 100 + rows.stop)), KeyedRandom(0, (1,), 8, rows), "a"
            )
        values = pool.pictures[:, 0, 0, 0].tolist()
        assert len(set(values)) == 8

    def test_size_0_is_no_pool(self):
        fresh = grey_images(1, 2)
        assert ImagePool(0, (1, 2, 2)).query(fresh, KeyedRandom(0, (0,), 2), "a") is fresh


def test_contrastive_loss_of_equal_features_is_log_n():
    """All alike: each of n is as near as the others. Apart: log(1 + (n - 1) e^(-1 / tau))."""
    alike = torch.nn.functional.normalize(torch.ones(2, 8, 5), dim=2)
    assert patch_nce(alike, alike, 0.07).tolist() == pytest.approx([math.log(8)] * 2)
    apart = torch.eye(8)[None]
    assert patch_nce(apart, apart, 0.5).item() == pytest.approx(math.log(1 + 7 * math.exp(-2)))


def test_psnr():
    assert psnr(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.02)).item() == pytest.approx(
        40.0, abs=1e-3
    )


def test_without_a_discriminator_it_is_a_regression():
    game = replace(PAIRED, adversarial=0.0, reconstruction=3.0).build(GREY_AND_COLOUR).eval()
    (turn,) = game.turns()
    input_batch = batch(GREY_AND_COLOUR)
    terms = turn.terms(input_batch)
    distance = (game.model.translate(input_batch.x) - input_batch.x_b).abs().mean((1, 2, 3))
    assert list(terms.losses) == ["reconstruction"]
    assert torch.allclose(terms.losses["reconstruction"], 3 * distance)
    assert not list(game.players()["discriminator"].parameters())


def test_a_conditional_discriminator_depends_on_both_images_of_a_pair():
    """Which image was translated matters to it; to the other one it does not."""
    for conditional in (True, False):
        game = replace(PAIRED, conditional=conditional).build(GREY_AND_COLOUR).eval()
        input_batch = batch(GREY_AND_COLOUR)
        game.turns()[0].terms(input_batch)
        one = game.turns()[1].terms(input_batch).losses["adversarial"]
        game.turns()[0].terms(input_batch)
        two = game.turns()[1].terms(replace(input_batch, x=-input_batch.x)).losses["adversarial"]
        assert torch.equal(one, two) != conditional


@pytest.mark.parametrize(
    "config",
    [
        replace(
            PAIRED,
            penalties=(R1(gamma=0.1, every=2),),
            augmentations=(DiffAugment(),),
            objective=Relativistic(),
        ),
        CycleConfig(**NETWORKS, pool_size=3, penalties=(R1(gamma=0.1),), augmentations=(DiffAugment(),)),
        OneSidedConfig(
            **NETWORKS, layers=(0, 2, 3), num_patches=16, projection_size=8, penalties=(R1(gamma=0.1),)
        ),
    ],
    ids=["paired", "cycle", "one_sided"],
)
def test_every_weight_learns(config):
    spec = GREY_AND_COLOUR if isinstance(config, PairedConfig) else ALIKE
    game = config.build(spec)
    carry = {}
    for number, turn in enumerate(game.turns()):
        losses = turn.terms(replace(batch(spec, turn=number), carry=carry)).losses
        sum(loss.mean() for loss in losses.values()).backward()
        for player in turn.players:
            still = [name for name, p in game.players()[player].named_parameters() if p.grad is None]
            assert still == []
        game.zero_grad()
    assert carry == {}, "what a turn carries is taken up by the next"


def test_invalid_settings_are_refused():
    with pytest.raises(ConfigError, match="identity"):
        CycleConfig(**NETWORKS).build(GREY_AND_COLOUR)
    CycleConfig(**NETWORKS, identity=0.0).build(GREY_AND_COLOUR)
    with pytest.raises(ConfigError, match="channels"):
        OneSidedConfig(**NETWORKS).build(GREY_AND_COLOUR)
    with pytest.raises(ConfigError, match="layers"):
        OneSidedConfig(**NETWORKS, layers=(0, 9)).build(ALIKE)
    with pytest.raises(ConfigError, match="without a loss"):
        replace(PAIRED, adversarial=0.0, reconstruction=0.0)
    with pytest.raises(ConfigError, match="running mean"):
        replace(PAIRED, penalties=(HistoricalAveraging(weight=1.0),))
    with pytest.raises(ConfigError, match="pool"):
        CycleConfig(**NETWORKS, pool_size=-1)


@pytest.mark.parametrize(("name", "steps"), [("pix2pix", 3), ("cyclegan", 6), ("cut", 2)])
def test_the_sheet_shows_both_directions(name, steps, tmp_path):
    """Images of 16 are shown 4 times as large, with lines between."""
    data = toy.two_domains(tmp_path, paired=name == "pix2pix")
    experiment = TINY_RECIPES[name]()
    train_state = TrainState(replace(experiment, training=experiment.training.resolve()), data, toy.cpu())
    sheet = translation_sheet(train_state.model_for_inference(), data, 1)
    ways = len(train_state.model_for_inference().directions)
    assert sheet.size == (steps * 66 + 2 * ways + 10 * (ways - 1), 68)
