"""Every recipe, made tiny: it runs, is saved, goes on bit for bit, and is sampled from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.core.errors import CorruptFileError, SparringError
from sparring.data import DataConfig, open_data
from sparring.experiment import Experiment
from sparring.recipes import RECIPE_DESCRIPTIONS, RECIPE_PAIRING, auto
from sparring.recipes.facts import TINY_DOMAINS, TINY_POINTS
from sparring.recipes.facts import TINY_IMAGES as FACTS
from sparring.recipes.table import RECIPES, TINY_RECIPES
from sparring.runs import generator_file
from sparring.runs.records import RunLogger
from sparring.training.checkpointing import Checkpointer
from sparring.training.loop import TrainingLoop
from sparring.training.state import TrainState
from tests.helpers import toy

BEFORE, AFTER = 3, 3  # steps before the save, and after it


def tiny_points() -> Experiment:
    """`auto` for points, with thin layers."""
    whole = auto.experiment(TINY_POINTS)
    thin = {"hidden": (16, 16)}
    game = replace(
        whole.game,
        generator=replace(whole.game.generator, **thin),
        discriminator=replace(whole.game.discriminator, **thin),
    )
    return replace(whole, game=game, training=replace(whole.training, batch=16))


CASES = {**TINY_RECIPES, "auto on points": tiny_points}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    place, draws = tmp_path_factory.mktemp("tiny"), np.random.default_rng(0)
    images = draws.integers(0, 256, (64, 16, 16, 1), dtype=np.uint8)
    np.savez(place / "images.npz", images=images, labels=np.arange(64) % 3)
    np.savez(place / "points.npz", x=draws.normal(size=(64, 2)).astype(np.float32))
    opened = {name: open_data(DataConfig(source=str(place / f"{name}.npz"))) for name in ("images", "points")}
    sides = {}
    for kind in ("paired", "unpaired"):
        (place / kind).mkdir()
        sides[kind] = toy.two_domains(place / kind, paired=kind == "paired")
    return sides | {(1, 16, 16): opened["images"], (2,): opened["points"]}


def start(name, data):
    experiment = CASES[name]()
    experiment = replace(experiment, training=experiment.training.resolve())
    spec = (2,) if name == "auto on points" else (1, 16, 16)
    return experiment, TrainState(experiment, data[RECIPE_PAIRING.get(name, spec)], toy.cpu())


def make_checkpointer(train_state, place):
    return Checkpointer(train_state, place, RunLogger(place), {"units": {}, "classes": []})


def test_every_name_has_a_recipe():
    assert list(RECIPE_DESCRIPTIONS) == list(RECIPES) == list(TINY_RECIPES)


@pytest.mark.parametrize("name", CASES)
def test_goes_on_bit_for_bit(name, data, tmp_path):
    experiment, live = start(name, data)
    for _ in range(BEFORE):
        live.train_step()
    assert all(tensor.isfinite().all() for tensor in live.tensors().values())
    make_checkpointer(live, tmp_path).save(final=True)
    losses = [live.train_step() for _ in range(AFTER)]

    torch.manual_seed(1234)  # a new process has another global state
    _, resumed = start(name, data)
    cold = toy.bits(resumed)
    assert make_checkpointer(resumed, tmp_path).restore() == []
    again = [resumed.train_step() for _ in range(AFTER)]
    assert toy.bits(resumed) == toy.bits(live)
    for one, other in zip(losses, again, strict=True):
        assert {name: float(value) for name, value in one.items()} == {
            name: float(v) for name, v in other.items()
        }

    _, beginner = start(name, data)
    assert toy.bits(beginner) == cold
    for _ in range(AFTER):
        beginner.train_step()
    beginner.clock = resumed.clock
    assert toy.bits(beginner) != toy.bits(resumed)


@pytest.mark.parametrize("name", CASES)
def test_settings_go_to_json_and_back(name):
    experiment = CASES[name]()
    assert Experiment.from_json(experiment.to_json()) == experiment


@pytest.mark.parametrize(
    "name", [name for name in CASES if name != "logistic" and name not in RECIPE_PAIRING]
)
def test_generators_are_sampled(name, data, tmp_path):
    experiment, train_state = start(name, data)
    train_state.train_step()
    facts = {
        "units": train_state.stream.dataset.units,
        "classes": ["a", "b", "c"] if train_state.game.model.spec.num_classes else [],
    }
    generator_file.save(
        tmp_path / "g.safetensors", train_state.ema.module, experiment, facts | {"images": 16}
    )
    loaded = generator_file.load(tmp_path / "g.safetensors")
    ten = loaded.generation.sample(0, range(10))
    assert ten.shape == (10, *train_state.stream.dataset.spec.shape)
    assert ten.isfinite().all()
    assert torch.equal(loaded.generation.sample(0, range(3)), ten[:3])
    assert torch.equal(loaded.generation.sample(0, range(4, 7)), ten[4:7])
    assert not torch.equal(loaded.generation.sample(1, range(3)), ten[:3])


def test_a_classifier_has_no_samples(data, tmp_path):
    experiment, train_state = start("logistic", data)
    train_state.train_step()
    facts = {"units": {}, "classes": ["a", "b", "c"], "images": 16}
    generator_file.save(tmp_path / "g.safetensors", train_state.model_for_inference(), experiment, facts)
    loaded = generator_file.load(tmp_path / "g.safetensors")
    x, _ = train_state.stream.dataset.batch(np.arange(5))
    assert torch.equal(loaded.model(x), train_state.model_for_inference()(x))
    with pytest.raises(SparringError, match="no samples"):
        loaded.generation.sample(0, range(2))


@pytest.mark.parametrize("name", RECIPE_PAIRING)
def test_translates(name, data, tmp_path):
    """What a file of a translator gives back translates images of other sizes too, and draws no samples."""
    experiment, train_state = start(name, data)
    train_state.train_step()
    path = tmp_path / "g.safetensors"
    generator_file.save(
        path, train_state.model_for_inference(), experiment, {"units": {}, "classes": [], "images": 4}
    )
    loaded = generator_file.load(path)
    assert loaded.model.spec == train_state.stream.dataset.spec
    assert loaded.translation.directions == train_state.model_for_inference().directions
    for direction in loaded.translation.directions:
        x = torch.rand(2, 3, 21, 10) * 2 - 1
        y = loaded.translation.translate(x, direction)
        assert y.shape == x.shape
        assert torch.allclose(y, train_state.model_for_inference().translate(x, direction), atol=1e-5)
    with pytest.raises(SparringError, match="sparring translate"):
        loaded.generation.sample(0, range(2))
    with pytest.raises(SparringError, match="sideways"):
        loaded.translation.translate(x, "sideways")


def test_a_generator_translates_nothing(data, tmp_path):
    experiment, train_state = start("gan", data)
    path = tmp_path / "g.safetensors"
    generator_file.save(
        path, train_state.model_for_inference(), experiment, {"units": {}, "classes": [], "images": 4}
    )
    with pytest.raises(SparringError, match="translator"):
        _ = generator_file.load(path).translation


@pytest.mark.parametrize("name", RECIPE_PAIRING)
def test_one_domain_is_refused(name, data):
    with pytest.raises(SparringError, match="two domains|as many channels"):
        CASES[name]().game.build(FACTS.spec)


@pytest.mark.parametrize("name", ["gan", "sngan"])
def test_a_checkpoint_of_another_recipe_is_refused(name, data, tmp_path):
    _, live = start("dcgan", data)
    make_checkpointer(live, tmp_path).save(final=True)
    _, other = start(name, data)
    with pytest.raises(CorruptFileError):
        make_checkpointer(other, tmp_path).restore()


def test_forgetting_an_optimizer_is_noticed(data, tmp_path, monkeypatch):
    """The sabotage twin of the test above."""
    load = TrainState.load

    def forgetful(self, tensors):
        saved_model = {
            name: tensor.clone() for name, tensor in self.tensors().items() if name.startswith("optimizer")
        }
        load(self, tensors | saved_model)

    monkeypatch.setattr(TrainState, "load", forgetful)
    with pytest.raises(AssertionError):
        test_goes_on_bit_for_bit("dcgan", data, tmp_path)


def test_the_loop_is_the_steps(data, tmp_path):
    """`TrainingLoop` with its guard and saves trains as bare steps do."""
    experiment, train_state = start("dcgan", data)
    TrainingLoop(train_state, make_checkpointer(train_state, tmp_path)).run(lambda: False)
    _, bare = start("dcgan", data)
    while bare.clock.images < experiment.training.total_images:
        bare.train_step()
    assert toy.bits(train_state) == toy.bits(bare)


@pytest.mark.parametrize("name", CASES)
def test_can_be_counted_without_being_made(name):
    """On the meta device, where the console counts parameters."""
    experiment = CASES[name]()
    spec = (
        TINY_POINTS.spec if "points" in name else TINY_DOMAINS.spec if name in RECIPE_PAIRING else FACTS.spec
    )
    with torch.device("meta"):
        game = experiment.game.build(spec)
    assert all(sum(p.numel() for p in player.parameters()) > 0 for player in game.players().values())
