"""Games whose augmentation and penalty adapt: on any adversarial recipe, resumed bit for bit, for several processes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.data import DataConfig, open_data
from sparring.experiment import Experiment
from sparring.parts.augmentation import ADA, DiffAugment
from sparring.parts.penalties import LeCam
from sparring.recipes import RECIPE_PAIRING
from sparring.recipes.table import TINY_RECIPES
from sparring.report.charts import chart_of_column
from sparring.training.state import TrainState
from tests.helpers import toy

ADAPTIVE = ADA(initial_probability=0.4, interval=2, adjust_images=400)
RECIPES = ("dcgan", "lsgan", "wgan_gp", "pacgan", "r3gan", "pix2pix", "cyclegan", "cut")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    place, draws = tmp_path_factory.mktemp("adaptive"), np.random.default_rng(0)
    np.savez(place / "images.npz", images=draws.integers(0, 256, (64, 16, 16, 1), dtype=np.uint8))
    (place / "two").mkdir()
    return {
        False: open_data(DataConfig(source=str(place / "images.npz"))),
        True: toy.two_domains(place / "two", paired=True),
    }


def experiment(name: str, **game) -> Experiment:
    whole = TINY_RECIPES[name]()
    return replace(whole, game=replace(whole.game, **game), training=whole.training.resolve())


def start(name: str, data, **game) -> TrainState:
    return TrainState(experiment(name, **game), data[name in RECIPE_PAIRING], toy.cpu())


def adaptive(name: str, data) -> TrainState:
    return start(name, data, augmentations=(DiffAugment(policy=("cutout",)), ADAPTIVE), penalties=(LeCam(),))


@pytest.mark.parametrize("name", RECIPES)
def test_any_adversarial_recipe_adapts_and_goes_on_bit_for_bit(name, data):
    live = adaptive(name, data)
    records = [live.train_step() for _ in range(3)]  # between two changes of p
    logged = [key for key in records[-1] if "/ada_p" in key]
    assert len(logged) == (2 if name == "cyclegan" else 1)
    assert all(key.startswith("discriminator") for key in logged)
    assert [float(record[logged[0]]) for record in records[:2]] == pytest.approx([0.4, 0.4])
    assert float(records[2][logged[0]]) != pytest.approx(0.4)
    saved = {key: value.clone() for key, value in live.tensors().items()}
    clock = replace(live.clock)
    rows = [live.train_step() for _ in range(3)]

    torch.manual_seed(1234)
    resumed = adaptive(name, data)
    resumed.load(saved)
    resumed.clock = clock
    again = [resumed.train_step() for _ in range(3)]
    assert toy.bits(resumed) == toy.bits(live)
    assert [{k: float(v) for k, v in row.items()} for row in rows] == [
        {k: float(v) for k, v in row.items()} for row in again
    ]

    forgetful = adaptive(name, data)
    forgetful.load(saved | {key: torch.zeros_like(value) for key, value in saved.items() if ".memor" in key})
    forgetful.clock = replace(clock)
    for _ in range(3):
        forgetful.train_step()
    assert toy.bits(forgetful) != toy.bits(live)


@pytest.mark.parametrize("name", RECIPES)
def test_without_them_nothing_is_remembered(name, data):
    """The names in checkpoints of recipes that do not adapt stay what they were."""
    plain, other = start(name, data), adaptive(name, data)
    assert not [key for key in plain.tensors() if ".memor" in key]
    extra = other.tensors().keys() - start(name, data, penalties=()).tensors().keys()
    assert {key.rpartition(".")[2] for key in extra} == {"p", "totals", "moving"}


def test_micro_batches_adapt_as_one_batch(data):
    """p moves once a step, by the images of the whole batch."""
    for micro in (0, 4):
        adapting = ADA(interval=1, adjust_images=1000, initial_probability=0.3)
        whole = experiment("dcgan", augmentations=(adapting,), penalties=(LeCam(),))
        whole = replace(whole, training=replace(whole.training, micro_batch=micro))
        state = TrainState(whole, data[False], toy.cpu())
        state.train_step()
        assert abs(float(state.game.memory.states["0"].p) - 0.3) == pytest.approx(whole.training.batch / 1000)


def test_an_image_pair_is_transformed_alike(data):
    """Both images of a pair get the same transforms, as the discriminator compares them."""
    state = start("pix2pix", data, augmentations=(ADA(initial_probability=0.8),))
    (batch,) = state.stream.batches(state.clock, 1, 0, 0, state.stream.new_carries())
    memory = state.game.memory
    assert torch.equal(memory.augment(batch.x, batch, "real"), memory.augment(batch.x.clone(), batch, "real"))


def test_two_adaptive_augmentations_are_refused(data):
    with pytest.raises(ConfigError, match="2 adaptive"):
        start("dcgan", data, augmentations=(ADA(), ADA()))


def test_a_generator_has_no_averages_for_lecam(data):
    state = start("dcgan", data, generator_penalties=(LeCam(),))
    with pytest.raises(ConfigError, match="discriminator"):
        state.train_step()


def test_the_settings_go_to_json_and_back():
    whole = experiment("dcgan", augmentations=(ADAPTIVE,), penalties=(LeCam(start=100),))
    assert Experiment.from_json(whole.to_json()) == whole


def test_the_report_shows_the_probability():
    assert chart_of_column("discriminator/ada_p") == ("adaptive augmentation", "p")
    assert chart_of_column("discriminators/ada_r_b") == ("adaptive augmentation", "r b")
