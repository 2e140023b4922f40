"""Save the training state to the run folder, restore it, and roll back to an older checkpoint."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparring.core.errors import CheckpointWriteError, CorruptFileError
from sparring.runs import checkpoint, generator_file
from sparring.runs.records import RunLogger
from sparring.training.state import Clock, TrainState


class Checkpointer:
    """Saves and restores.

    Arguments:
        match: what is played.
        run: the run folder. Only the first of several processes writes to it.
        record: the run's record, whose running means are part of a checkpoint.
        facts: what a generator file must say beside its settings: `units` and `classes`.
    """

    def __init__(
        self, state: TrainState, run_dir: Path, record: RunLogger, metadata: Mapping[str, Any]
    ) -> None:
        self.state, self.run_dir, self.record, self.metadata = state, run_dir, record, metadata
        self.rollbacks = 0
        self.last_saved_images: int | None = None
        self.last_saved_time = time.monotonic()
        self._seconds_before, self._began = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent on this run, over all its restarts."""
        return self._seconds_before + time.monotonic() - self._began

    def save(self, *, final: bool = False) -> None:
        """Write a checkpoint and the generator's file. If that fails, training goes on, and the next save tries again.

        Raises:
            CheckpointWriteError: it failed, and there is no next one (`final`).
        """
        self.last_saved_time = time.monotonic()
        images = self.state.clock.images
        if not self.state.runtime.is_main_process or self.last_saved_images == images:
            return
        try:
            self._write_generator(images)  # first, so that a finished checkpoint has its generator
            checkpoint.save(self.run_dir, images, self.state.tensors(), self._state())
        except CheckpointWriteError as error:
            self.record.log_event("checkpoint_failed", images, why=str(error))
            if final:
                raise
            return
        self.last_saved_images = images
        try:
            checkpoint.prune(self.run_dir, checkpoint.best_checkpoint(self.run_dir))
        except OSError as error:
            self.record.log_event("checkpoint_not_removed", images, why=str(error))

    def _write_generator(self, images: int) -> None:
        path, facts = self.run_dir / generator_file.GENERATOR_FILE, {**self.metadata, "images": images}
        try:
            generator_file.save(path, self.state.model_for_inference(), self.state.experiment, facts)
        except OSError as error:
            raise checkpoint.write_error(path, error) from error

    def _state(self) -> dict[str, Any]:
        return {
            "clock": asdict(self.state.clock),
            "roll_backs": self.rollbacks,
            "seconds": self.seconds,
            "record": self.record.state(),
            "machine": self.state.runtime.describe(),
        }

    def restore(self, skip: int = 0) -> list[CorruptFileError]:
        """Go back to the newest checkpoint that verifies, or to an older one: `skip` good ones are passed over and removed.

        The first process chooses, for all. Without a checkpoint nothing changes.

        Returns:
            What is wrong with the damaged ones that were passed over.
        """
        chosen, damaged = self._select(skip) if self.state.runtime.is_main_process else (-1, [])
        chosen = self.state.runtime.broadcast_int(chosen)
        if chosen >= 0:
            self._load(checkpoint.read(self.run_dir, chosen))
        elif damaged and self.state.clock.images == 0:
            self.record.restore({}, 0)  # the lines of a run that can't be gone on with
        return damaged

    def _select(self, skip: int) -> tuple[int, list[CorruptFileError]]:
        damaged: list[CorruptFileError] = []
        good: list[int] = []
        for found in checkpoint.iterate_verified(self.run_dir):
            if isinstance(found, CorruptFileError):
                damaged.append(found)
                continue
            good.append(found.images)
            if len(good) > skip:
                break
        for images in good[:-1]:
            checkpoint.delete(self.run_dir, images)
        return (good[-1] if good else -1), damaged

    def _load(self, found: checkpoint.Checkpoint) -> None:
        self.state.load(found.load(self.state.tensors()))
        try:
            self.state.clock = _parse_clock(found.state["clock"], found.images)
            self.rollbacks = max(self.rollbacks, _parse_count(found.state["roll_backs"]))
            self._seconds_before, self._began = _parse_float(found.state["seconds"]), time.monotonic()
            self.record.restore(_parse_sums(found.state["record"]), found.images)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptFileError(
                f"state.json: {error!r}", "a state written by Sparring", "use an older one"
            ) from error
        self.last_saved_images = found.images
        self._warn_if_machine_changed(found.state.get("machine"))

    def _warn_if_machine_changed(self, before: Any) -> None:
        now = self.state.runtime.describe()
        if isinstance(before, dict) and before != now:
            changed = {
                name: [before.get(name), value] for name, value in now.items() if before.get(name) != value
            }
            self.record.log_event(
                "machine_changed",
                self.state.clock.images,
                changed=changed,
            )


def _parse_clock(values: Mapping[str, Any], images: int) -> Clock:
    clock = Clock(**{name: _parse_count(values[name]) for name in asdict(Clock())})
    if clock.images != images:
        raise ValueError(f"a clock at {clock.images} in the checkpoint of {images}")
    return clock


def _parse_count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 on")
    return value


def _parse_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no finite number")
    return float(value)


def _parse_sums(values: Mapping[str, Any]) -> dict[str, list[float]]:
    sums = {name: [_parse_float(number) for number in total] for name, total in values.items()}
    if not all(len(total) == 2 and total[1] >= 1 for total in sums.values()):
        raise ValueError("running means that are none")
    return sums
