"""A run that is evaluated as it goes ends as one that is not, and remembers what was best."""

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
HELD = ("data.held_out=20",)
JUDGED = (*HELD, f"training.metric={METRIC}", f"training.evaluate_every={EVERY * toy.BATCH}")


def asked(data, more=JUDGED, **changes):
    return toy.request(data, **{"steps": STEPS, "save": 4, "report": 4, "more": more, **changes})


def tensors(run):
    return checkpoint.read(run, checkpoint.list_checkpoints(run)[-1]).tensors


def rows(run):
    """Evaluations as they stand in the file, without times."""
    found = records.read_jsonl(run / records.EVALUATIONS_FILE)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in found]


@pytest.fixture(scope="module")
def plain(toy_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("plain") / "run"
    toy.play(asked(toy_data, HELD), run)
    return run


@pytest.fixture(scope="module")
def judged(toy_data, tmp_path_factory):
    run = tmp_path_factory.mktemp("judged") / "run"
    assert toy.play(asked(toy_data), run).outcome == "finished"
    return run


def test_evaluating_changes_nothing(plain, judged):
    assert tensors(judged) == tensors(plain)
    lines = [Result.from_json(row) for row in records.read_jsonl(judged / records.EVALUATIONS_FILE)]
    assert [row["images"] for row in rows(judged)] == [24, 48, 72, 96]
    assert {line.name for line in lines} == {METRIC}
    assert len({line.value for line in lines}) == 4
    assert lines[0].provenance["images"] == 24
    assert not (plain / records.EVALUATIONS_FILE).exists()


def test_an_evaluation_that_disturbs_is_noticed(toy_data, tmp_path, plain, monkeypatch):
    sampled = validation.Validator._sampled

    def careless(self, match, watch):
        match.game.model.eval()  # the players themselves, not a copy
        return sampled(self, match, watch)

    monkeypatch.setattr(validation.Validator, "_sampled", careless)
    toy.play(asked(toy_data), tmp_path)
    assert tensors(tmp_path) != tensors(plain)


def test_held_out_samples_are_never_dealt(toy_data, tmp_path, monkeypatch):
    dealt = set()
    gather = BatchStream._gather

    def noted(self, seed, position, rows):
        x, y, other = gather(self, seed, position, rows)
        dealt.update(one.tobytes() for one in self.dataset.to_uint8(x))
        return x, y, other

    monkeypatch.setattr(BatchStream, "_gather", noted)
    toy.play(asked(toy_data, (*HELD, "data.flip=false")), tmp_path)
    training, held = split_held_out(open_data(DataConfig(source=str(toy_data))), 20)
    assert dealt == {one.tobytes() for one in training.samples}
    assert not dealt & {one.tobytes() for one in held.samples}


def kill_at(step, monkeypatch):
    """Stop as a kill would: at this step, with nothing saved on the way out."""

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
def test_a_kill_changes_nothing(toy_data, tmp_path, judged, monkeypatch, step):
    with monkeypatch.context() as patch:
        killed = kill_at(step, patch)
        with pytest.raises(killed):
            toy.play(asked(toy_data), tmp_path)
    assert len(rows(tmp_path)) == step // EVERY
    toy.play(asked(toy_data), tmp_path)
    assert rows(tmp_path) == rows(judged)
    assert toy.digest(tmp_path) == toy.digest(judged)
    assert checkpoint.best_checkpoint(tmp_path) == checkpoint.best_checkpoint(judged)


def test_lines_that_stay_after_a_kill_are_noticed(toy_data, tmp_path, judged, monkeypatch):
    with monkeypatch.context() as patch:
        killed = kill_at(7, patch)
        with pytest.raises(killed):
            toy.play(asked(toy_data), tmp_path)
    for images in checkpoint.list_checkpoints(tmp_path)[1:]:
        checkpoint.delete(tmp_path, images)
    monkeypatch.setattr(records.RunLogger, "_truncate", lambda self, name, images: [])
    toy.play(asked(toy_data), tmp_path)
    assert rows(tmp_path) != rows(judged)


def test_a_signal_in_an_evaluation_is_made_up_for(toy_data, tmp_path, judged, monkeypatch):
    with monkeypatch.context() as patch:
        sampled = validation.Validator._sampled

        def interrupted(self, match, watch):
            if match.clock.images == 48:
                os.kill(os.getpid(), signal.SIGTERM)
            return sampled(self, match, watch)

        patch.setattr(validation.Validator, "_sampled", interrupted)
        result = toy.play(asked(toy_data), tmp_path)
    assert (result.outcome, result.exit_code) == ("stopped", 143)
    toy.play(asked(toy_data), tmp_path)
    assert [row["images"] for row in rows(tmp_path)][:1] == [24]
    assert len(rows(tmp_path)) == 4
    assert tensors(tmp_path) == tensors(judged)


@pytest.mark.parametrize("kill", ["signal", "damage"])
def test_the_last_evaluation_is_made_up_for_too(toy_data, tmp_path, judged, monkeypatch, kill):
    """Whether a signal kept it from being made, or the checkpoint that it was made at is no longer whole."""
    sampled = validation.Validator._sampled

    def interrupted(self, match, watch):
        if match.clock.images == 96 and kill == "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        return sampled(self, match, watch)

    with monkeypatch.context() as patch:
        patch.setattr(validation.Validator, "_sampled", interrupted)
        result = toy.play(asked(toy_data), tmp_path)
    if kill == "signal":
        assert (result.outcome, result.exit_code) == ("stopped", 143)
        assert [row["images"] for row in rows(tmp_path)] == [24, 48, 72]
    else:
        (tmp_path / "checkpoints" / "000000000096" / "tensors.safetensors").write_bytes(b"")
    result = toy.play(asked(toy_data), tmp_path)
    assert (result.outcome, result.was_finished) == ("finished", False)
    assert rows(tmp_path) == rows(judged)
    assert tensors(tmp_path) == tensors(judged)
    assert toy.play(asked(toy_data), tmp_path).was_finished


# --- the best


def values(monkeypatch, given):
    """Let the evaluations come to these values, one after the other."""
    left = list(given)
    measure = validation.Validator._measure

    def measured(self, fake, watch):
        line = measure(self, fake, watch)
        return replace(line, values={"fd": left.pop(0)}) if fake.images is not None else line

    monkeypatch.setattr(validation.Validator, "_measure", measured)


def test_the_best_is_kept(toy_data, tmp_path, monkeypatch):
    values(monkeypatch, [9.0, 3.0, *[float(n) for n in range(4, 14)]])
    run = tmp_path / "run"
    toy.play(asked(toy_data, steps=33, save=2), run)
    assert checkpoint.best_checkpoint(run) == 48
    assert 48 in checkpoint.list_checkpoints(run)
    assert len(checkpoint.list_checkpoints(run)) < 10
    (stale,) = [event for event in toy.events(run) if event["event"] == validation.METRIC_STALLED]
    assert (stale["since"], stale["images"]) == (48, 48 + records.STALL_PATIENCE * EVERY * toy.BATCH)


def test_the_best_is_saved_between_saves(toy_data, tmp_path, monkeypatch):
    values(monkeypatch, [9.0, 3.0, 5.0, 6.0])
    toy.play(asked(toy_data, save=100), tmp_path)
    assert checkpoint.list_checkpoints(tmp_path) == [0, 24, 48, 96]
    assert checkpoint.best_checkpoint(tmp_path) == 48


# --- the target


def test_a_target_ends_the_run(toy_data, tmp_path, monkeypatch):
    values(monkeypatch, [9.0, 3.0, 5.0])
    more = asked(toy_data, until=f"{METRIC}<=4")
    result = toy.play(more, tmp_path)
    assert (result.outcome, result.exit_code, result.was_finished) == ("reached", 0, False)
    assert result.target_summary == f"reached fd <= 4 at image 48: {METRIC} 3"
    assert checkpoint.list_checkpoints(tmp_path)[-1] == 48
    again = toy.play(more, tmp_path)
    assert (again.outcome, again.was_finished, again.target_summary) == (
        "reached",
        True,
        result.target_summary,
    )
    with pytest.raises(ConfigError, match="until"):
        toy.play(asked(toy_data, until=f"{METRIC}<=2"), tmp_path)


def test_a_target_that_is_not_reached(toy_data, tmp_path):
    result = toy.play(asked(toy_data, HELD, until="fd<=0.0001"), tmp_path)
    assert result.outcome == "finished"
    assert result.target_summary.startswith("fd <= 0.0001 was not reached: best fd")
    assert toy.play(asked(toy_data, HELD, until="fd<=0.0001"), tmp_path).was_finished


# --- what goes wrong


def test_what_can_be_known_is_said_before_the_start(toy_data, tmp_path):
    for more, message in (
        (("training.metric=fd20-pixels-test",), "no sample is held out"),
        ((*HELD, "training.metric=fd21-pixels-test"), "20 samples"),
        ((*HELD, "training.metric=is20-pixels-test"), "at least 500"),
        ((*HELD, "training.metric=fd20-pixel-test"), "pixels"),
        (("data.held_out=24",), "fewer than half"),
    ):
        with pytest.raises((ConfigError, DataError), match=message):
            toy.play(asked(toy_data, more), tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_a_failure_on_the_way_is_an_event(toy_data, tmp_path, plain, monkeypatch):
    sampled = validation.Validator._sampled

    def failing(self, match, watch):
        if match.clock.images == 48:
            raise RuntimeError("not enough memory")
        return sampled(self, match, watch)

    monkeypatch.setattr(validation.Validator, "_sampled", failing)
    assert toy.play(asked(toy_data), tmp_path).outcome == "finished"
    (event,) = toy.events(tmp_path)
    assert (event["event"], event["images"]) == ("evaluation_failed", 48)
    assert [row["images"] for row in rows(tmp_path)] == [24, 72, 96]
    assert tensors(tmp_path) == tensors(plain)
