"""Games of translators: the pool of earlier pictures, the contrast of patches, and what is refused."""

import math
from dataclasses import replace

import pytest
import torch
import toy

from sparring.augment import DiffAugment
from sparring.errors import ConfigError
from sparring.game import Batch
from sparring.games.contrast import contrast
from sparring.games.cycle import CycleConfig
from sparring.games.history import History
from sparring.games.judging import psnr
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.keyed import Draws
from sparring.match import Match
from sparring.objectives import Relativistic
from sparring.penalties import R1, Historical
from sparring.recipes.table import TINY
from sparring.shapes import Spec
from sparring.translation.shown import sheet
from sparring.translators import PatchGan, ResnetTranslator, UNet

GREY_AND_COLOUR = Spec(shape=(1, 16, 16), other=(3, 16, 16))
ALIKE = Spec(shape=(3, 16, 16), other=(3, 16, 16))
NETWORKS = {
    "translator": ResnetTranslator(width=4, blocks=1, downs=1),
    "discriminator": PatchGan(patch=7, width=4),
}
PAIRED = PairedConfig(translator=UNet(width=4), discriminator=PatchGan(patch=7, width=4))


def batch(spec, step=0, turn=0, count=4):
    draws = torch.Generator().manual_seed(step)
    x, other = (torch.rand(count, *shape, generator=draws) * 2 - 1 for shape in (spec.shape, spec.other))
    return Batch(x=x, y=None, other=other, draws=Draws(0, (step, turn, 0), count), images=0, step=step)


def shades(*values):
    """Pictures of one shade each."""
    return torch.tensor(values).div(127.5).sub(1).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


class TestHistory:
    def test_begins_by_giving_back_what_comes(self):
        pool = History(4, (1, 2, 2))
        for step in range(2):
            fresh = shades(2 * step, 2 * step + 1)
            assert torch.equal(pool.exchange(fresh, Draws(0, (step,), 2), "a"), fresh)
        assert int(pool.count) == 4
        assert sorted(pool.pictures[:, 0, 0, 0].tolist()) == [0, 1, 2, 3]

    def test_no_picture_is_lost_or_doubled(self):
        """Half of what comes in stays, and as much of what was there comes out."""
        pool, given, kept = History(10, (1, 2, 2)), [], 0
        for step in range(60):
            fresh = shades(4 * step % 240, 4 * step % 240 + 1, 4 * step % 240 + 2, 4 * step % 240 + 3)
            out = pool.exchange(fresh, Draws(0, (step,), 4), "a")
            given += [round(float(v)) for v in (out[:, 0, 0, 0] + 1) * 127.5]
            kept += int((out != fresh).flatten(1).any(1).sum())
        inside = pool.pictures[:, 0, 0, 0].tolist()
        assert sorted({*given, *inside}) == list(range(240))
        filled = 10  # those given back at once and kept as well
        assert len(given) + len(inside) - filled == 240
        assert 0.35 < kept / (240 - filled) < 0.65

    def test_the_processes_and_parts_of_a_batch_take_different_places(self):
        pool = History(8, (1, 2, 2))
        pool.exchange(shades(*range(8)), Draws(0, (0,), 8), "a")
        for rows in (slice(0, 4), slice(4, 8)):
            pool.exchange(shades(*range(100 + rows.start, 100 + rows.stop)), Draws(0, (1,), 8, rows), "a")
        values = pool.pictures[:, 0, 0, 0].tolist()
        assert len(set(values)) == 8

    def test_size_0_is_no_pool(self):
        fresh = shades(1, 2)
        assert History(0, (1, 2, 2)).exchange(fresh, Draws(0, (0,), 2), "a") is fresh


def test_contrast_of_what_cannot_be_told_is_log_n():
    """All alike: each of n is as near as the others. Apart: log(1 + (n - 1) e^(-1 / tau))."""
    alike = torch.nn.functional.normalize(torch.ones(2, 8, 5), dim=2)
    assert contrast(alike, alike, 0.07).tolist() == pytest.approx([math.log(8)] * 2)
    apart = torch.eye(8)[None]
    assert contrast(apart, apart, 0.5).item() == pytest.approx(math.log(1 + 7 * math.exp(-2)))


def test_psnr():
    assert psnr(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.02)).item() == pytest.approx(
        40.0, abs=1e-3
    )


def test_without_a_judge_there_is_regression():
    game = replace(PAIRED, adversarial=0.0, reconstruction=3.0).build(GREY_AND_COLOUR).eval()
    (turn,) = game.turns()
    dealt = batch(GREY_AND_COLOUR)
    terms = turn.terms(dealt)
    distance = (game.kept.translate(dealt.x) - dealt.other).abs().mean((1, 2, 3))
    assert list(terms.losses) == ["reconstruction"]
    assert torch.allclose(terms.losses["reconstruction"], 3 * distance)
    assert not list(game.players()["discriminator"].parameters())


def test_a_conditional_judge_sees_both_of_a_pair():
    """Which picture was translated matters to it; to the other one it does not."""
    for conditional in (True, False):
        game = replace(PAIRED, conditional=conditional).build(GREY_AND_COLOUR).eval()
        dealt = batch(GREY_AND_COLOUR)
        game.turns()[0].terms(dealt)
        one = game.turns()[1].terms(dealt).losses["adversarial"]
        game.turns()[0].terms(dealt)
        two = game.turns()[1].terms(replace(dealt, x=-dealt.x)).losses["adversarial"]
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
        CycleConfig(**NETWORKS, pool=3, penalties=(R1(gamma=0.1),), augmentations=(DiffAugment(),)),
        OneSidedConfig(**NETWORKS, layers=(0, 2, 3), patches=16, features=8, penalties=(R1(gamma=0.1),)),
    ],
    ids=["paired", "cycle", "one_sided"],
)
def test_every_weight_learns(config):
    spec = GREY_AND_COLOUR if isinstance(config, PairedConfig) else ALIKE
    game = config.build(spec)
    for number, turn in enumerate(game.turns()):
        losses = turn.terms(batch(spec, turn=number)).losses
        sum(loss.mean() for loss in losses.values()).backward()
        for player in turn.players:
            still = [name for name, p in game.players()[player].named_parameters() if p.grad is None]
            assert still == []
        game.zero_grad()
    assert not game._made


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="identity"):
        CycleConfig(**NETWORKS).build(GREY_AND_COLOUR)
    CycleConfig(**NETWORKS, identity=0.0).build(GREY_AND_COLOUR)
    with pytest.raises(ConfigError, match="channels"):
        OneSidedConfig(**NETWORKS).build(GREY_AND_COLOUR)
    with pytest.raises(ConfigError, match="layers"):
        OneSidedConfig(**NETWORKS, layers=(0, 9)).build(ALIKE)
    with pytest.raises(ConfigError, match="anything"):
        replace(PAIRED, adversarial=0.0, reconstruction=0.0)
    with pytest.raises(ConfigError, match="remembers"):
        replace(PAIRED, penalties=(Historical(weight=1.0),))
    with pytest.raises(ConfigError, match="pool"):
        CycleConfig(**NETWORKS, pool=-1)


@pytest.mark.parametrize(("name", "steps"), [("pix2pix", 3), ("cyclegan", 6), ("cut", 2)])
def test_the_sheet_shows_both_ways(name, steps, tmp_path):
    """Pictures of 16 are shown 4 times as large, with lines between."""
    data = toy.two_domains(tmp_path, paired=name == "pix2pix")
    experiment = TINY[name]()
    match = Match(replace(experiment, training=experiment.training.resolved()), data, toy.cpu())
    picture = sheet(match.kept, data, 1)
    ways = len(match.kept.directions)
    assert picture.size == (steps * 66 + 2 * ways + 10 * (ways - 1), 68)
