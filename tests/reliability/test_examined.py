"""A run that is evaluated during training ends with the same bits as one that is not, and keeps its best checkpoint."""

import os
import signal
from dataclasses import replace

import pytest

from sparring.core.errors import ConfigError, DataError
from sparring.data import DataConfig, open_data, split_held_out
from sparring.evaluation.result import Result
from sparring.runs import checkpoint, records
from sparring.training import validation
from sparring.training.state import BatchStream, TrainState
from tests.helpers import toy

STEPS, EVERY = 12, 3
METRIC = "fd20-pixels-test"
HELD_OUT = ("data.held_out=20",)
EVALUATED = (*HELD_OUT, f"training.metric={METRIC}", f"training.evaluate_every={EVERY * toy.BATCH}")


def toy_request(data, more=EVALUATED, **changes):
    return toy.request(data, **{"steps": STEPS, "save": 4, "report": 4, "more": more, **changes})


def tensors(run):
    return checkpoint.read(run, checkpoint.list_checkpoints(run)[-1]).tensors


def rows(run):
    """The rows of evaluations.jsonl, without times."""
    found = records.read_jsonl(run / records.EVALUATIONS_FILE)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found]


@pytest.fixture(scope="module")
def plain(toy_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("plain") / "run"
    toy.train(toy_request(toy_data, HELD_OUT), run)
    return run


@pytest.fixture(scope="module")
def evaluated(toy_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("evaluated") / "run"
    assert toy.train(toy_request(toy_data), run).outcome == "finished"
    return run


def test_evaluation_does_not_change_training(plain, evaluated):
    assert tensors(evaluated) == tensors(plain)
    lines = [Result.from_json(row) for row in records.read_jsonl(evaluated / records.EVALUATIONS_FILE)]
    assert [row["images"] for row in rows(evaluated)] == [24, 48, 72, 96]
    assert {line.name for line in lines} == {METRIC}
    assert len({line.value for line in lines}) == 4
    assert lines[0].provenance["images"] == 24
    assert not (plain / records.EVALUATIONS_FILE).exists()


def test_an_evaluation_that_changes_the_players_is_noticed(toy_data, tmp_path, plain, monkeypatch):
    sampled = validation.Validator.sample

    def careless(self, state, monitor):
        state.game.model.eval()  # the players themselves, not a copy
        return sampled(self, state, monitor)

    monkeypatch.setattr(validation.Validator, "sample", careless)
    toy.train(toy_request(toy_data), tmp_path)
    assert tensors(tmp_path) != tensors(plain)


def test_held_out_samples_are_never_trained_on(toy_data, tmp_path, monkeypatch):
    trained_on = set()
    gather = BatchStream._gather

    def recording_gather(self, seed, position, rows):
        x, y, other = gather(self, seed, position, rows)
        trained_on.update(one.tobytes() for one in self.dataset.to_uint8(x))
        return x, y, other

    monkeypatch.setattr(BatchStream, "_gather", recording_gather)
    toy.train(toy_request(toy_data, (*HELD_OUT, "data.flip=false")), tmp_path)
    training, held = split_held_out(open_data(DataConfig(source=str(toy_data))), 20)
    assert trained_on == {one.tobytes() for one in training.samples}
    assert not trained_on & {one.tobytes() for one in held.samples}


def kill_at(step, monkeypatch):
    """Stop like a kill does: at this step, without a save."""

    class Killed(BaseException):
        pass

    true = TrainState.train_step

    def stepping(self):
        if self.clock.step == step:
            raise Killed
        return true(self)

    monkeypatch.setattr(TrainState, "train_step", stepping)
    return Killed


@pytest.mark.parametrize("step", [4, 7, 11])
def test_a_kill_changes_nothing(toy_data, tmp_path, evaluated, monkeypatch, step):
    with monkeypatch.context() as patch:
        killed = kill_at(step, patch)
        with pytest.raises(killed):
            toy.train(toy_request(toy_data), tmp_path)
    assert len(rows(tmp_path)) == step // EVERY
    toy.train(toy_request(toy_data), tmp_path)
    assert rows(tmp_path) == rows(evaluated)
    assert toy.digest(tmp_path) == toy.digest(evaluated)
    assert checkpoint.best_checkpoint(tmp_path) == checkpoint.best_checkpoint(evaluated)


def test_rows_that_are_not_removed_after_a_kill_are_noticed(toy_data, tmp_path, evaluated, monkeypatch):
    with monkeypatch.context() as patch:
        killed = kill_at(7, patch)
        with pytest.raises(killed):
            toy.train(toy_request(toy_data), tmp_path)
    for images in checkpoint.list_checkpoints(tmp_path)[1:]:
        checkpoint.delete(tmp_path, images)
    monkeypatch.setattr(records.RunLogger, "_truncate", lambda self, name, images: [])
    toy.train(toy_request(toy_data), tmp_path)
    assert rows(tmp_path) != rows(evaluated)


def test_an_evaluation_that_a_signal_interrupts_is_repeated(toy_data, tmp_path, evaluated, monkeypatch):
    with monkeypatch.context() as patch:
        sampled = validation.Validator.sample

        def interrupted(self, state, monitor):
            if state.clock.images == 48:
                os.kill(os.getpid(), signal.SIGTERM)
            return sampled(self, state, monitor)

        patch.setattr(validation.Validator, "sample", interrupted)
        result = toy.train(toy_request(toy_data), tmp_path)
    assert (result.outcome, result.exit_code) == ("stopped", 143)
    toy.train(toy_request(toy_data), tmp_path)
    assert [row["images"] for row in rows(tmp_path)][:1] == [24]
    assert len(rows(tmp_path)) == 4
    assert tensors(tmp_path) == tensors(evaluated)


@pytest.mark.parametrize("kill", ["signal", "damage"])
def test_the_last_evaluation_is_repeated_too(toy_data, tmp_path, evaluated, monkeypatch, kill):
    """If a signal interrupted it, and if its checkpoint is damaged."""
    sampled = validation.Validator.sample

    def interrupted(self, state, monitor):
        if state.clock.images == 96 and kill == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        return sampled(self, state, monitor)

    with monkeypatch.context() as patch:
        patch.setattr(validation.Validator, "sample", interrupted)
        result = toy.train(toy_request(toy_data), tmp_path)
    if kill == "signal":
        assert (result.outcome, result.exit_code) == ("stopped", 143)
        assert [row["images"] for row in rows(tmp_path)] == [24, 48, 72]
    else:
        (tmp_path / "checkpoints" / "000000000096" / "tensors.safetensors").write_bytes(b"")
    result = toy.train(toy_request(toy_data), tmp_path)
    assert (result.outcome, result.was_finished) == ("finished", False)
    assert rows(tmp_path) == rows(evaluated)
    assert tensors(tmp_path) == tensors(evaluated)
    assert toy.train(toy_request(toy_data), tmp_path).was_finished


# --- the best


def set_values(monkeypatch, values):
    """Let the evaluations have these values, one after the other, and each block of samples, too."""
    left = list(values)
    measure = validation.Validator.measure

    def measured(self, fake, monitor):
        result = measure(self, fake, monitor)
        if fake.images is None:
            return result
        value = left.pop(0)
        return replace(result, values={"fd": value}, blocks=(value,) * 10)

    monkeypatch.setattr(validation.Validator, "measure", measured)


def test_the_best_checkpoint_is_kept(toy_data, tmp_path, monkeypatch):
    set_values(monkeypatch, [9.0, 3.0, *[float(n) for n in range(7, 17)]])
    run = tmp_path / "run"
    toy.train(toy_request(toy_data, steps=33, save=2), run)
    assert checkpoint.best_checkpoint(run) == 48
    assert 48 in checkpoint.list_checkpoints(run)
    assert len(checkpoint.list_checkpoints(run)) < 10
    (stale,) = [event for event in toy.events(run) if event["event"] == "metric_stalled"]
    assert (stale["since"], stale["images"]) == (48, 48 + records.STALL_PATIENCE * EVERY * toy.BATCH)


def test_the_best_evaluation_is_saved_at_once(toy_data, tmp_path, monkeypatch):
    set_values(monkeypatch, [9.0, 3.0, 8.0, 9.0])
    toy.train(toy_request(toy_data, save=100), tmp_path)
    assert checkpoint.list_checkpoints(tmp_path) == [0, 24, 48, 96]
    assert checkpoint.best_checkpoint(tmp_path) == 48


# --- the target


def test_a_target_ends_the_run(toy_data, tmp_path, monkeypatch):
    set_values(monkeypatch, [9.0, 3.0, 5.0])
    more = toy_request(toy_data, until=f"{METRIC}<=4")
    result = toy.train(more, tmp_path)
    assert (result.outcome, result.exit_code, result.was_finished) == ("reached", 0, False)
    assert result.target_summary == f"reached fd <= 4 at image 48: {METRIC} 3"
    assert checkpoint.list_checkpoints(tmp_path)[-1] == 48
    again = toy.train(more, tmp_path)
    assert (again.outcome, again.was_finished, again.target_summary) == (
        "reached",
        True,
        result.target_summary,
    )
    with pytest.raises(ConfigError, match="until"):
        toy.train(toy_request(toy_data, until=f"{METRIC}<=2"), tmp_path)


def test_a_target_that_is_not_reached(toy_data, tmp_path):
    result = toy.train(toy_request(toy_data, HELD_OUT, until="fd<=0.0001"), tmp_path)
    assert result.outcome == "finished"
    assert result.target_summary.startswith("fd <= 0.0001 was not reached: best fd")
    assert toy.train(toy_request(toy_data, HELD_OUT, until="fd<=0.0001"), tmp_path).was_finished


# --- errors


def test_a_metric_that_can_not_be_measured_is_refused_before_the_start(toy_data, tmp_path):
    for more, message in (
        (("training.metric=fd20-pixels-test",), "no sample is held out"),
        ((*HELD_OUT, "training.metric=fd21-pixels-test"), "20 samples"),
        ((*HELD_OUT, "training.metric=is20-pixels-test"), "at least 500"),
        ((*HELD_OUT, "training.metric=fd20-pixel-test"), "pixels"),
        (("data.held_out=24",), "fewer than half"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            toy.train(toy_request(toy_data, more), tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_a_failed_evaluation_is_an_event(toy_data, tmp_path, plain, monkeypatch):
    sampled = validation.Validator.sample

    def failing(self, state, monitor):
        if state.clock.images == 48:
            raise RuntimeError("not enough memory")
        return sampled(self, state, monitor)

    monkeypatch.setattr(validation.Validator, "sample", failing)
    assert toy.train(toy_request(toy_data), tmp_path).outcome == "finished"
    (event,) = toy.events(tmp_path)
    assert (event["event"], event["images"]) == ("evaluation_failed", 48)
    assert [row["images"] for row in rows(tmp_path)] == [24, 72, 96]
    assert tensors(tmp_path) == tensors(plain)
