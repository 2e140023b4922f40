"""A run that is made longer: which commands do so, what changes in its settings, and that it still resumes bit for bit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sparring.core.errors import ConfigError
from sparring.core.schedule import LinearSchedule, value_at
from sparring.recipes import RECIPE_PAIRING
from sparring.recipes.facts import TINY_DOMAINS, TINY_IMAGES, TINY_POINTS
from sparring.recipes.table import RECIPES, TINY_RECIPES
from sparring.runs import checkpoint
from sparring.runs.extend import Extension, extend, find_extension, has_length_in_images
from sparring.runs.request import Request
from sparring.runs.run_json import load_run_json
from sparring.training.state import TrainState
from tests.helpers import toy

OUT = Path("run")
BY_EPOCHS = {
    ".game.beta"
}  # a warm-up over a number of epochs; stretched, it is still over at 1/15 of the run
DECAY = "optimizers.generator.lr={type: linear, start: 1e-3, end: 0.0, delay: 40, duration: 40}"


def schedules(value, path=""):
    """The schedules in JSON settings, by path."""
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, dict):
        return {}
    if value.get("type") in ("linear", "cosine", "geometric") and "duration" in value:
        return {path: value}
    found = [schedules(item, f"{path}.{name}") for name, item in value.items()]
    return {name: item for one in found for name, item in one.items()}


@pytest.mark.parametrize("name", list(RECIPES))
def test_schedules_are_those_that_the_recipe_has_at_the_new_length(name):
    facts = TINY_DOMAINS if name in RECIPE_PAIRING else TINY_IMAGES
    short, long = (RECIPES[name](replace(facts, images=images)) for images in (100_000, 300_000))
    stretched, expected = schedules(extend(short, 300_000).to_json()), schedules(long.to_json())
    shared = (stretched.keys() & expected.keys()) - BY_EPOCHS
    assert {path: stretched[path] for path in shared} == {path: expected[path] for path in shared}
    assert extend(short, 100_000).game == short.game


def test_the_schedules_of_points_are_stretched():
    short, long = (RECIPES["auto"](replace(TINY_POINTS, images=images)) for images in (100_000, 300_000))
    assert len(schedules(short.to_json())) > 4
    assert schedules(extend(short, 300_000).to_json()) == schedules(long.to_json())


def test_only_the_length_and_what_depends_on_it_changes():
    recipe = TINY_RECIPES["auto"]()
    training = replace(recipe.training, total_images=1_000, save_every=300, metric="").resolve()
    before = replace(recipe, training=training)
    after = extend(before, 5_000)
    assert (after.training.total_images, after.training.report_every, after.training.save_every) == (
        5_000,
        50,
        300,
    )
    assert replace(after.training, total_images=1_000, report_every=10, sample_every=100) == training
    assert (after.game, after.data, after.recipe) == (before.game, before.data, before.recipe)
    rate, stretched = (e.optimizers["generator"].lr for e in (before, after))
    assert isinstance(rate, LinearSchedule)
    assert isinstance(stretched, LinearSchedule)
    assert stretched.delay + stretched.duration == (rate.delay + rate.duration) * 5


def document(images=None, until=None, total=1_000, continued=()):
    request = {"images": images, "until": until, "data": "a"}
    return {
        "format": 2,
        "request": request,
        "experiment": {"training": {"total_images": total}},
        "continued": continued,
    }


def later(total, until=None):
    return {"total_images": total, "until": until}


TEN, LONGER = document(until="10m"), document(until="10m", total=9_000, continued=[later(9_000)])
TWENTY = document(until="10m", total=2_000, continued=[later(2_000, "20m")])
FD = document(until="fd<=20,1h")
# request, run.json, and what it does: nothing, the images or seconds that it adds, or an error
CASES = [
    ({"images": 1_000}, document(images=1_000), None),
    ({}, document(images=1_000), None),
    ({"images": 2_000}, document(images=1_000), Extension(total_images=2_000)),
    ({"images": 1_000}, document(), None),  # the length that the recipe chose
    ({"images": 2_000}, document(), Extension(total_images=2_000)),
    ({"images": 500}, document(), "500"),
    ({"images": 1_000}, document(images=1_000, total=2_000, continued=[later(2_000)]), "2000"),
    ({"images": 2_000}, document(images=1_000, total=2_000, continued=[later(2_000)]), None),
    ({"images": 2_000, "until": "5m"}, document(images=1_000), Extension(total_images=2_000)),
    ({"until": "5m"}, document(images=1_000), None),  # ends the call
    ({"until": "5m"}, document(), None),
    ({"until": "10m"}, TEN, None),
    ({"until": "600s"}, TEN, None),
    ({"until": "20m"}, TEN, Extension(seconds=600, until="20m")),
    ({"until": "5m"}, TEN, "10m"),
    ({"images": 9_000}, TEN, Extension(total_images=9_000)),
    ({"until": "20m"}, TWENTY, None),
    ({"until": "10m"}, TWENTY, "20m"),
    ({"until": "0.5h"}, TWENTY, Extension(seconds=600, until="0.5h")),
    ({"until": "20m"}, LONGER, None),  # its length is in images now
    ({"until": "fd<=20"}, FD, None),
    ({"until": "1h"}, FD, None),
    ({"until": "fd<=20,1h"}, FD, None),
    ({"until": "fd<=20,2h"}, FD, Extension(seconds=3600, until="fd<=20,2h")),
    ({"until": "fd<=10"}, FD, "fd<=10"),
    ({"until": "5m,fd<=3"}, document(images=100), "fd<=3"),
    ({"batch": 3}, document(), "batch 3"),
]


@pytest.mark.parametrize(("options", "run_json", "expected"), CASES)
def test_which_requests_make_a_run_longer(options, run_json, expected):
    request = Request(data="a", **options)
    if not isinstance(expected, str):
        assert find_extension(request, run_json, OUT) == expected
        return
    with pytest.raises(ConfigError) as caught:
        find_extension(request, run_json, OUT)
    assert expected in caught.value.got


def test_whether_a_time_ends_the_call():
    assert [has_length_in_images(run) for run in (document(), document(images=9), TEN, TWENTY, LONGER)] == [
        True,
        True,
        False,
        False,
        True,
    ]


class Killed(BaseException):
    """In place of SIGKILL."""


def train_and_die(request, out, monkeypatch, at):
    """Train until step `at`, and die there without a save."""
    step = TrainState.train_step

    def stepping(self):
        if self.clock.step == at:
            raise Killed
        return step(self)

    with monkeypatch.context() as patched:
        patched.setattr(TrainState, "train_step", stepping)
        with pytest.raises(Killed):
            toy.train(request, out)


def begin(toy_data, out):
    """A finished run of 10 steps, and the request that makes it 30 steps long."""
    assert toy.train(toy.request(toy_data, steps=10, save=4, more=[DECAY]), out).outcome == "finished"
    return toy.request(toy_data, steps=30, save=4, more=[DECAY])


def test_a_run_that_was_made_longer_resumes_bit_for_bit(toy_data, tmp_path, monkeypatch):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    longer = begin(toy_data, straight)
    assert toy.train(longer, straight).outcome == "finished"
    begin(toy_data, killed)
    for at in (10, 11, 13, 22):  # before the first step, after it, and after a save
        train_and_die(longer, killed, monkeypatch, at)
    result = toy.train(longer, killed)
    assert (result.outcome, result.was_finished) == ("finished", False)
    assert toy.digest(killed) == toy.digest(straight)
    assert checkpoint.list_checkpoints(straight)[-1] == 30 * toy.BATCH


def test_the_change_is_in_run_json_and_the_records_go_on(toy_data, tmp_path):
    longer = begin(toy_data, tmp_path)
    rows = (tmp_path / "metrics.jsonl").read_text()
    before = load_run_json(tmp_path)
    assert toy.train(longer, tmp_path).outcome == "finished"
    assert (tmp_path / "metrics.jsonl").read_text().startswith(rows)
    raw = json.loads((tmp_path / "run.json").read_text())
    (entry,) = raw["continued"]
    lengths = (entry["from_images"], entry["previous_total_images"], entry["total_images"])
    assert lengths == (10 * toy.BATCH, 10 * toy.BATCH, 30 * toy.BATCH)
    assert entry["schedules"]["optimizers.generator.lr"] == [0.0, 1e-3]
    assert raw["request"] == before["request"]
    assert raw["experiment"]["game"] == before["experiment"]["game"]
    rate = LinearSchedule(
        **{k: v for k, v in raw["experiment"]["optimizers"]["generator"]["lr"].items() if k != "type"}
    )
    assert value_at(rate, 30 * toy.BATCH) == 0.0
    assert toy.train(longer, tmp_path).was_finished
    assert toy.train(
        toy.request(toy_data, steps=30, save=4, more=[DECAY], images=None), tmp_path
    ).was_finished
    content = (tmp_path / "run.json").read_bytes()
    with pytest.raises(ConfigError):
        toy.train(toy.request(toy_data, steps=10, save=4, more=[DECAY]), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == content


def test_a_longer_time_adds_the_difference(toy_data, tmp_path, monkeypatch):
    cost = type("Cost", (), {"images_per_second": 10 * toy.BATCH / 0.85})
    monkeypatch.setattr("sparring.training.throughput.measure_cost", lambda *arguments: cost)
    assert toy.train(toy.request(toy_data, images=None, until="1s"), tmp_path).outcome == "finished"
    assert checkpoint.list_checkpoints(tmp_path)[-1] == 10 * toy.BATCH
    assert toy.train(toy.request(toy_data, images=None, until="1s"), tmp_path).was_finished
    for _ in range(2):
        assert toy.train(toy.request(toy_data, images=None, until="3s"), tmp_path).outcome == "finished"
        assert checkpoint.list_checkpoints(tmp_path)[-1] == 30 * toy.BATCH
    with pytest.raises(ConfigError):
        toy.train(toy.request(toy_data, images=None, until="1s"), tmp_path)
