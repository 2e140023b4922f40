"""A run that collapses goes back, goes on with a remedy, and ends with the same bits when it is killed or stopped anywhere."""

import os
import signal

import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.protocols.rescue import ObjectiveFacts, Rescue
from sparring.runs import checkpoint, generator_file
from sparring.runs.records import read_rescues
from sparring.runs.run_json import load_run_json
from sparring.training import diagnostics
from sparring.training.collapse_guard import CollapseGuard
from sparring.training.state import TrainState
from tests.helpers import toy
from tests.helpers.histories import HEALTHY, LOST

STEPS, SAVE = 15, 3
BCE, WASSERSTEIN = (
    ObjectiveFacts(generator_lost_above=6.0, has_zero=True),
    ObjectiveFacts(generator_lost_above=None, has_zero=True),
)
RELATIVISTIC = ObjectiveFacts(generator_lost_above=6.0, has_zero=False)
COLLAPSED = {"diag/diversity": 0.05}


def request(toy_data, **changes):
    return toy.request(toy_data, steps=STEPS, save=SAVE, report=1, **{"more": (toy.RESCUE,), **changes})


@pytest.fixture
def collapse(monkeypatch):
    """Plants a collapse from step 8 on, until so many remedies are in force."""
    return lambda levels: monkeypatch.setattr(diagnostics, "measure", toy.plant_collapse(levels))


def trained_states(monkeypatch):
    """(step, level, learning rate, salt) of every step that is trained from now on."""
    steps, true_step = [], TrainState.train_step

    def stepping(self):
        rate = self.experiment.optimizers["generator"].lr
        steps.append((self.clock.step, self.clock.level, rate, self.clock.salt))
        return true_step(self)

    monkeypatch.setattr(TrainState, "train_step", stepping)
    return steps


def test_a_collapsed_run_goes_back_and_goes_on_with_the_next_remedy(
    toy_data, tmp_path, collapse, monkeypatch
):
    collapse(levels=2)
    steps = trained_states(monkeypatch)
    assert toy.train(request(toy_data), tmp_path).outcome == "finished"
    # bad at steps 8 and 9; the checkpoint of step 6 was followed by a good report at step 7
    assert [step for step, *_ in steps] == [*range(9), 6, 7, 8, *range(6, STEPS)]
    assert [level for _, level, *_ in steps] == [0] * 9 + [1] * 3 + [2] * 9
    assert {(level, rate, salt) for _, level, rate, salt in steps} == {
        (0, 2e-4, 0),
        (1, 1e-4, 1),
        (2, 1e-4, 2),
    }
    first, second = toy.events(tmp_path)
    assert (first["event"], first["images"], first["to"]) == ("collapsed", 9 * toy.BATCH, 6 * toy.BATCH)
    assert first["settings"][1] == "optimizers.generator.lr=1e-4"
    assert first["values"]["diag/diversity"] == 0.01
    assert (second["level"], second["settings"][1]) == (2, "data.flip=false")
    assert len(read_rescues(tmp_path)) == 2
    assert [row["images"] for row in toy.records.read_jsonl(tmp_path / "metrics.jsonl")] == [
        step * toy.BATCH for step in range(1, STEPS + 1)
    ]


def test_the_state_is_that_of_the_checkpoint_with_the_remedy(toy_data, tmp_path, collapse):
    collapse(levels=1)
    toy.train(request(toy_data), tmp_path)
    straight = toy.train_state(toy_data, steps=STEPS, save=SAVE, report=1, more=(toy.RESCUE,))
    for _ in range(6):
        straight.train_step()
    kept = {name: tensor.clone() for name, tensor in straight.tensors().items()}
    straight.reset(1)
    straight.load(kept)
    straight.clock.step, straight.clock.images, straight.clock.salt = 6, 6 * toy.BATCH, 1
    assert not any(name.startswith("game.pasts") for name in straight.tensors())
    while straight.clock.step < STEPS:
        straight.train_step()
    rescued = checkpoint.read(tmp_path, STEPS * toy.BATCH).load(straight.tensors())
    assert all(torch.equal(rescued[name], tensor) for name, tensor in straight.tensors().items())


def test_killed_before_each_operation(trials, toy_data, quick):
    trials("warm_up", data=toy_data, folder=quick / "warm")
    count = trials("kill_rescued", data=toy_data, folder=quick, stride=9)
    print(count)
    assert count["killed"] == count["whole"] == count["equal"] == count["trials"] >= 15
    assert count["left"] == 0


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_killed_before_every_operation(trials, toy_data, quick):
    count = trials("kill_rescued", data=toy_data, folder=quick, stride=1)
    assert count["killed"] == count["whole"] == count["equal"] == count["trials"] >= 100


def stop_and_resume(toy_data, run, monkeypatch, at):
    """Train with a signal in the `at`-th step of all, whose checkpoint an undisturbed run does not have; then resume."""
    steps, true_step = [0], TrainState.train_step

    def stepping(self):
        steps[0] += 1
        if steps[0] == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return true_step(self)

    with monkeypatch.context() as patched:
        patched.setattr(TrainState, "train_step", stepping)
        assert toy.train(request(toy_data), run).exit_code == 143
    assert toy.train(request(toy_data), run).outcome == "finished"
    return toy.digest(run)


def test_stopped_by_a_signal_in_any_step(toy_data, tmp_path, collapse, monkeypatch):
    """Also between bad measurements, between rescue and save, and where the signal leaves a checkpoint newer than the anchor."""
    collapse(levels=2)
    toy.train(request(toy_data), tmp_path / "truth")
    truth = toy.digest(tmp_path / "truth")
    for at in (
        8,
        9,
        10,
        13,
    ):  # after the first bad measurement, at the second, and in the two steps after a rescue
        assert stop_and_resume(toy_data, tmp_path / f"{at}", monkeypatch, at) == truth, at


def test_the_signals_notice_a_guard_that_forgets(toy_data, tmp_path, collapse, monkeypatch):
    collapse(levels=2)
    toy.train(request(toy_data), tmp_path / "truth")
    monkeypatch.setattr(CollapseGuard, "restore", lambda self, state: None)
    assert stop_and_resume(toy_data, tmp_path / "run", monkeypatch, 8) != toy.digest(tmp_path / "truth")


def test_after_the_last_remedy_it_gives_up_with_the_last_healthy_generator(toy_data, tmp_path, collapse):
    collapse(levels=9)
    result = toy.train(request(toy_data), tmp_path)
    assert (result.outcome, result.exit_code, result.was_finished) == ("gave_up", 3, False)
    assert [event["event"] for event in toy.events(tmp_path)] == ["collapsed", "collapsed", "gave_up"]
    assert checkpoint.list_checkpoints(tmp_path)[-1] == 6 * toy.BATCH
    loaded = generator_file.load(tmp_path / generator_file.GENERATOR_FILE)
    assert loaded.metadata["images"] == 6 * toy.BATCH
    again = toy.train(request(toy_data), tmp_path)
    assert (again.outcome, again.exit_code, again.was_finished) == ("gave_up", 3, True)
    longer = toy.train(
        request(toy_data, images=2 * STEPS * toy.BATCH), tmp_path
    )  # another attempt, of another length
    assert (longer.outcome, longer.was_finished) == ("gave_up", False)


def test_a_healthy_run_ends_with_the_same_bits_as_one_without_a_guard(toy_data, tmp_path, collapse):
    collapse(levels=0)
    for name, settings in {"guarded": (toy.RESCUE,), "plain": ()}.items():
        toy.train(request(toy_data, more=settings), tmp_path / name)
    one, other = (checkpoint.read(tmp_path / name, STEPS * toy.BATCH) for name in ("guarded", "plain"))
    assert one.tensors == other.tensors
    assert "guard" not in other.state
    assert toy.events(tmp_path / "guarded") == []


BAD_REMEDIES = {
    "training.batch=4": "training.batch=4",
    "game.generator.latent=5": "remedies.0",
    "game.no_such=1": "no_such",
    "optimizers.generator.lr=-1": "learning rate",
}


@pytest.mark.parametrize("setting", BAD_REMEDIES)
def test_a_remedy_that_can_not_be_applied_is_refused_before_the_run(toy_data, tmp_path, setting):
    rescue = f"training.rescue={{remedies: [['{setting}']]}}"
    with pytest.raises(ConfigError) as caught:
        toy.train(request(toy_data, more=(rescue,)), tmp_path / "run")
    assert BAD_REMEDIES[setting] in caught.value.got
    assert load_run_json(tmp_path / "run") is None


ROWS = [
    ({}, BCE, None, True),
    (COLLAPSED, BCE, "collapsed", False),
    ({"diag/near_duplicates": 0.9}, WASSERSTEIN, "collapsed", True),
    (COLLAPSED | {"step": 400}, BCE, None, False),  # at the beginning samples may be alike
    ({"diag/diversity": 0.4}, BCE, None, False),  # doubtful: no reason to go back, and nothing to go back to
    ({"discriminator/accuracy_real": 0.99, "discriminator/accuracy_fake": 0.985}, BCE, None, False),
    ({"discriminator/accuracy_real": 1.0}, BCE, None, True),
    (LOST, BCE, "discriminator_won", False),
    (LOST, WASSERSTEIN, None, True),
    (LOST, RELATIVISTIC, None, True),  # its accuracies mean nothing
    (LOST | {"diag/auc_real_vs_fake": 1.0}, RELATIVISTIC, "discriminator_won", False),
    (LOST | {"discriminator/adversarial": 0.2}, BCE, None, False),
    (LOST | {"generator/adversarial": 4.0}, BCE, None, False),
]


@pytest.mark.parametrize(("changes", "facts", "trouble", "healthy"), ROWS)
def test_what_is_bad_and_what_is_healthy(changes, facts, trouble, healthy):
    rescue, row = Rescue(remedies=()), {"step": 900, **HEALTHY, **changes}
    assert rescue.find_trouble(row, facts) == trouble
    assert rescue.is_healthy(row, facts) == healthy
