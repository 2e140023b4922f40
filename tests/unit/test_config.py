"""Settings: to JSON and back, and errors that name the path, what was expected and what to do."""

import random

import pytest

from sparring.core import config
from sparring.core.errors import ConfigError, SparringError
from sparring.core.schedule import CosineSchedule, LinearSchedule
from sparring.experiment import TYPE_TABLES, Experiment
from sparring.recipes.table import TINY_RECIPES
from sparring.runs.request import Request


@pytest.fixture
def document():
    return TINY_RECIPES["r3gan"]().to_json()


def changed(document, *assignments):
    return Experiment.from_json(config.apply_overrides(document, assignments))


def test_override_reads_yaml(document):
    experiment = changed(
        document,
        "training.batch=32",
        "training.ema_half_life=1e4",
        "optimizers.generator.lr=1e-4",
        "optimizers.discriminator.lr={type: linear, start: 1e-3, end: 0, duration: 10}",
        "game.objective=hinge",
        "data.size=[8, 16]",
        "game.penalties=[]",
        "training.micro_batch=null",
    )
    assert experiment.training.batch == 32
    assert experiment.training.ema_half_life == 10_000.0
    assert experiment.optimizers["generator"].lr == 1e-4
    assert experiment.optimizers["discriminator"].lr == LinearSchedule(start=1e-3, end=0.0, duration=10)
    assert (experiment.data.size, experiment.game.penalties) == ((8, 16), ())


def test_override_reaches_into_lists(document):
    experiment = changed(document, "game.penalties.1.gamma=0.25", "game.penalties.0={type: r1, gamma: 2}")
    assert (experiment.game.penalties[1].gamma, experiment.game.penalties[0].gamma) == (0.25, 2.0)


def test_override_leaves_the_document_alone(document):
    before = config._deep_copy(document)
    config.apply_overrides(document, ["training.batch=1", "game.penalties.0.gamma=3"])
    assert document == before


WRONG = {
    "training.bacth=32": ("bacth", "batch"),
    "trainning.batch=32": ("trainning", "training"),
    "training.batch": ("training.batch", "path=value"),
    "=3": ("=3", "path=value"),
    "training.batch.size=3": ("training.batch", ""),
    "training.batch=lots": ("training.batch: 'lots'", "whole number"),
    "training.batch=1.5": ("training.batch", "whole number"),
    "training.batch=true": ("training.batch", "whole number"),
    "training.batch=0": ("batch", "at least 1"),
    "training.batch=null": ("training.batch", "whole number"),
    "training.ema_half_life=-1": ("negative", "0 or more"),
    "training.ema_half_life=.nan": ("training.ema_half_life", "finite"),
    "training.ema_half_life=.inf": ("training.ema_half_life", "finite"),
    "training.ema_half_life=[1": ("training.ema_half_life=[1", "YAML"),
    "training.ema_half_life=1" + "0" * 400: ("training.ema_half_life", "finite"),
    "game.objective=hing": ("hing", "hinge"),
    "game.objective={start: 1}": ("game.objective", "type"),
    "game.objective=3": ("game.objective", "type"),
    "game.objective=true": ("game.objective", "hinge"),
    "game.objective={type: [hinge]}": ("hinge", "one of"),
    "game.penalties.7.gamma=3": ("game.penalties.7", ""),
    "game.penalties=r1": ("game.penalties", "list"),
    "game.penalties.0.gama=3": ("gama", "gamma"),
    "data.size=[8]": ("data.size", "2 values"),
    "data.size=8": ("data.size", "list"),
    "data.size=[8, 9, 10]": ("data.size", "2 values"),
    "data.fit=fill": ("data.fit", "crop"),
    "optimizers.generator.lr=fast": ("fast", "linear"),
    "optimizers.generator.lr=nan": ("nan", "linear"),
    "optimizers.generator.lr={type: linear, start: 1}": ("missing", "default"),
    "optimizers.generator.lr=0": ("learning rate", "above 0"),
    "optimizers=[1]": ("optimizers", "object"),
    "training=7": ("training", "object"),
    "recipe=7": ("recipe", "text"),
    "training.total_images=2020-01-01": ("training.total_images", "whole number"),
}


@pytest.mark.parametrize("assignment", WRONG)
def test_errors_name_the_wrong_setting(document, assignment):
    with pytest.raises(ConfigError) as caught:
        changed(document, assignment)
    for part in WRONG[assignment]:
        assert part in str(caught.value)
    assert caught.value.got
    assert caught.value.fix


def test_schedules_go_to_json_and_back():
    for schedule in (3.0, CosineSchedule(start=1.0, end=0.5, duration=7, delay=2)):
        from sparring.core.schedule import Schedule

        assert config.from_json(Schedule, config.to_json(schedule, TYPE_TABLES), TYPE_TABLES) == schedule


def test_a_type_is_looked_up_in_its_own_table_only(document):
    for tag in ("os.system", "sparring.core.config", "__class__", "dcgan", ""):
        with pytest.raises(ConfigError, match="unknown type"):
            changed(document, f"game.objective={{type: '{tag}'}}")


def test_any_change_of_a_document_is_an_experiment_or_an_error(document):
    """500 random changes of places and kinds: never another exception."""
    draws = random.Random(0)
    odd = [
        None,
        True,
        -1,
        0,
        3,
        1e300,
        float("nan"),
        float("inf"),
        10**400,
        "x",
        "",
        [],
        [1],
        {},
        {"type": "x"},
        "\0",
    ]
    reached = 0
    for _ in range(500):
        broken = config._deep_copy(document)
        place = broken
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            at = draws.choice(keys)
            if draws.random() < 0.3 or not isinstance(place[at], dict | list):
                how = draws.random()
                if how < 0.15:
                    del place[at]
                elif how < 0.3 and isinstance(place, dict):
                    place[draws.choice(["typ", "lr", "__class__", "batch"])] = draws.choice(odd)
                else:
                    place[at] = draws.choice(odd)
                break
            place = place[at]
        try:
            Experiment.from_json(broken)
            reached += 1
        except SparringError:
            pass
    assert reached < 400


def test_requests_are_checked():
    with pytest.raises(ConfigError, match="dcgan"):
        Request(recipe="dgcan")
    for until in ("fast", "0s", "-3s", "5 days", "s"):
        with pytest.raises(ConfigError, match="100s"):
            Request(until=until)
    assert [Request(until=text).time_limit() for text in ("90s", "1.5m", "2h")] == [90, 90, 7200]


def test_requests_differ_by_their_settings():
    begun = Request(data="a", images=100, seed=3, settings=("x=1",)).to_json()
    assert Request().changes_from(begun) == []
    assert Request(data="a", until="5m").changes_from(begun) == []
    assert Request(seed=4).changes_from(begun) == ["seed 4 (it was begun with 3)"]
    assert len(Request(data="b", images=1, settings=("x=2",)).changes_from(begun)) == 2
