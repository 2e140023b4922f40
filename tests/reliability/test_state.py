"""A checkpoint holds everything that the rest of a run depends on, and nothing else changes a run."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, CorruptFileError, DataError
from sparring.runs import checkpoint
from sparring.runs.records import RunLogger
from sparring.training.checkpointing import Checkpointer
from sparring.training.state import TrainState
from tests.helpers import toy

BEFORE, AFTER = 7, 4  # after 7 steps all moments, averages and counters differ from their initial values


@pytest.fixture(scope="module")
def saved(toy_data, tmp_path_factory):
    """A run with a checkpoint after `BEFORE` steps, and the digest of the state `AFTER` steps later."""
    run = tmp_path_factory.mktemp("saved")
    live = toy.train_state(toy_data)
    for _ in range(BEFORE):
        live.train_step()
    live.clock.salt, live.clock.calm_until = 1, (BEFORE + 2) * toy.BATCH
    Checkpointer(live, run, RunLogger(run), {"units": {}, "classes": []}).save(final=True)
    for _ in range(AFTER):
        live.train_step()
    return run, toy.bits(live)


def resumed(toy_data, run, change=lambda state: None, **changes):
    state = toy.train_state(toy_data, **changes)
    assert Checkpointer(state, run, RunLogger(run), {}).restore() == []
    change(state)
    for _ in range(AFTER):
        state.train_step()
    return toy.bits(state)


def tensor(state, *parts):
    return next(v for name, v in state.tensors().items() if all(part in name for part in parts))


def nudge(*parts, by=1e-6):
    def change(state):
        values = tensor(state, *parts).view(-1)
        at = int(values.abs().argmax())
        assert values[at] != 0, "no power: it is still 0"
        values[at] += max(by, float(values[at].abs()) * 1e-6) if values.is_floating_point() else 1

    return change


def tick(**by):
    def change(state):
        state.clock = replace(state.clock, **{name: getattr(state.clock, name) + n for name, n in by.items()})

    return change


def reset(*parts):
    def change(state):
        for name, values in state.tensors().items():
            if all(part in name for part in parts):
                values.zero_()

    return change


SABOTAGE = {
    "a weight of the generator": nudge("game.generation", "weight"),
    "a weight of the discriminator": nudge("game.discriminator", "weight"),
    "a batch statistic": nudge("game.generation", "running_var"),
    "a batch counter": nudge("game.generation", "num_batches_tracked"),
    "a spectral vector": nudge("game.discriminator", ".0.u"),
    "an averaged past": nudge("game.pasts", "weight"),
    "the past's count": nudge("game.pasts", "count"),
    "the average": nudge("average.module", "weight"),
    "the average's count": nudge("average.count"),
    "first moments, generator": reset("optimizer.generator", "exp_avg"),
    "first moments, discriminator": reset("optimizer.discriminator", ".exp_avg"),
    "second moments, generator": reset("optimizer.generator", "exp_avg_sq"),
    "second moments, discriminator": reset("optimizer.discriminator", "exp_avg_sq"),
    "Adam's step, generator": reset("optimizer.generator", ".step"),
    "Adam's step, discriminator": reset("optimizer.discriminator", ".step"),
    "one moment": nudge("optimizer.generator", "exp_avg_sq", by=0),
    "step + 1": tick(step=1),
    "step - 1": tick(step=-1),
    "images": tick(images=toy.BATCH),
    "salt": tick(salt=1),
    "calm_until": tick(calm_until=-2 * toy.BATCH),
}


def test_a_resumed_run_is_the_same(toy_data, saved):
    assert resumed(toy_data, saved[0]) == saved[1]


@pytest.mark.parametrize("item", SABOTAGE)
def test_each_saved_item_matters(toy_data, saved, item):
    assert resumed(toy_data, saved[0], SABOTAGE[item]) != saved[1]


def test_the_seed_matters(toy_data, saved):
    assert resumed(toy_data, saved[0], seed=1) != saved[1]


def test_all_that_changes_is_saved(toy_data):
    """Whatever tensor of the players, optimizers or averages changes in a step has a name in the checkpoint."""
    match = toy.train_state(toy_data)
    names = match.tensors()
    modules = {f"game.{name}" for name, _ in [*match.game.named_parameters(), *match.game.named_buffers()]}
    assert modules <= set(names)
    for name, learner in match.optimizers.items():
        kept = {id(value) for value in learner.tensors().values()}
        assert {id(value) for state in learner.states for value in state.values()} <= kept, name


@pytest.fixture(scope="module")
def truth(toy_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("truth") / "run"
    toy.train(short(toy_data), run)
    return last(run)


def short(toy_data, **changes):
    return toy.request(toy_data, **{"steps": 12, "save": 4, "report": 4, **changes})


def last(run):
    return checkpoint.read(run, checkpoint.list_checkpoints(run)[-1]).tensors


@pytest.mark.parametrize("save", [1, 100])
def test_saving_changes_nothing(toy_data, tmp_path, truth, save):
    toy.train(short(toy_data, save=save), tmp_path)
    assert last(tmp_path) == truth


def test_the_same_twice(toy_data, tmp_path, truth):
    toy.train(short(toy_data), tmp_path)
    assert last(tmp_path) == truth


def test_previews_and_reports_do_not_change_training(toy_data, tmp_path, truth):
    toy.train(short(toy_data, report=1, more=("training.sample_every=8", "training.sample_grid=9")), tmp_path)
    assert last(tmp_path) == truth


def test_other_random_draws_do_not_change_training(toy_data, tmp_path, truth, monkeypatch):
    step = TrainState.train_step

    def noisy(self):
        torch.randn(random.randint(1, 9))
        np.random.rand(3)
        torch.manual_seed(random.getrandbits(32))
        iter(torch.utils.data.DataLoader([1, 2, 3], shuffle=True))
        return step(self)

    monkeypatch.setattr(TrainState, "train_step", noisy)
    toy.train(short(toy_data), tmp_path)
    assert last(tmp_path) == truth


def test_a_draw_from_the_global_generator_is_noticed(toy_data, tmp_path, truth, monkeypatch):
    from sparring.core.rng import KeyedRandom

    monkeypatch.setattr(
        KeyedRandom, "normal", lambda self, stream, *shape: torch.randn(self.total, *shape)[self.rows]
    )
    monkeypatch.setattr(TrainState, "train_step", with_noise(TrainState.train_step))
    toy.train(short(toy_data), tmp_path)
    assert last(tmp_path) != truth


def with_noise(step):
    def noisy(self):
        torch.manual_seed(random.getrandbits(32))
        return step(self)

    return noisy


def test_place_and_process_do_not_matter(toy_data, tmp_path, truth):
    """Another process, with another hash seed, working folder, data path and time zone."""
    data = tmp_path / "elsewhere" / "other name.npz"
    data.parent.mkdir()
    data.write_bytes(toy_data.read_bytes())
    (tmp_path / "cwd").mkdir()
    code = "import sys, torch; from tests.helpers import toy; from pathlib import Path; torch.set_num_threads(1)\n"
    code += f"toy.train(toy.request(Path({str(data)!r}), steps=12, save=4, report=4), Path('run'))"
    root = Path(toy.__file__).parents[2]
    paths = [str(root), str(root / "src")]
    odd = {
        "PYTHONHASHSEED": "12345",
        "PYTHONPATH": os.pathsep.join(paths),
        "TZ": "Asia/Tokyo",
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path / "cwd", env=os.environ | odd)
    assert last(tmp_path / "cwd" / "run") == truth


# --- changes between two calls


def test_a_finished_run_is_left_alone(toy_data, tmp_path):
    assert not toy.train(short(toy_data), tmp_path).was_finished
    before = toy.digest(tmp_path)
    result = toy.train(short(toy_data), tmp_path)
    assert (result.was_finished, result.outcome, result.exit_code) == (True, "finished", 0)
    assert toy.digest(tmp_path) == before


def test_a_changed_request_is_refused(toy_data, tmp_path):
    toy.train(short(toy_data), tmp_path)
    for changes, parts in (({"seed": 3}, ("seed 3", "None")), ({"steps": 2}, ("16", "96"))):
        with pytest.raises(ConfigError) as caught:
            toy.train(short(toy_data, **changes), tmp_path)
        assert all(part in caught.value.got for part in parts)


def test_changed_data_is_refused(toy_data, tmp_path):
    data = tmp_path / "toy.npz"
    data.write_bytes(toy_data.read_bytes())
    toy.train(short(data), tmp_path / "run")
    checkpoint.delete(tmp_path / "run", checkpoint.list_checkpoints(tmp_path / "run")[-1])
    toy.write_data(tmp_path, seed=1)
    with pytest.raises(DataError) as caught:
        toy.train(short(data), tmp_path / "run")
    assert str(data) in caught.value.got


def test_a_flipped_bit_is_detected(toy_data, tmp_path):
    toy.train(short(toy_data), tmp_path)
    newest = checkpoint.list_checkpoints(tmp_path)[-1]
    files = sorted((tmp_path / checkpoint.CHECKPOINTS_FOLDER / f"{newest:012d}").iterdir())
    assert [file.name for file in files] == ["manifest.json", "state.json", "tensors.safetensors"]
    draws = random.Random(0)
    for number in range(200):
        file = files[number % 3]
        whole = file.read_bytes()
        bit = draws.randrange(8 * len(whole))
        file.write_bytes(whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :])
        with pytest.raises(CorruptFileError):
            checkpoint.read(tmp_path, newest)
        file.write_bytes(whole)
    checkpoint.read(tmp_path, newest)


@pytest.mark.parametrize("name", ["manifest.json", "state.json", "tensors.safetensors"])
def test_a_damaged_checkpoint_is_skipped(toy_data, tmp_path, name):
    toy.train(short(toy_data), tmp_path)
    before = toy.digest(tmp_path)
    newest = tmp_path / checkpoint.CHECKPOINTS_FOLDER / f"{checkpoint.list_checkpoints(tmp_path)[-1]:012d}"
    data = bytearray((newest / name).read_bytes())
    data[len(data) // 2] ^= 1
    (newest / name).write_bytes(data)
    result = toy.train(short(toy_data), tmp_path)
    assert result.outcome == "finished"
    assert toy.digest(tmp_path) == before
    (event,) = [event for event in toy.events(tmp_path) if event["event"] == "checkpoint_corrupt"]
    assert newest.name in event["message"]


def test_a_run_without_a_good_checkpoint_begins_anew(toy_data, tmp_path):
    toy.train(short(toy_data), tmp_path)
    before = toy.digest(tmp_path)
    for folder in (tmp_path / checkpoint.CHECKPOINTS_FOLDER).iterdir():
        (folder / "state.json").write_text("{}")
    toy.train(short(toy_data), tmp_path)
    assert toy.digest(tmp_path) == before
