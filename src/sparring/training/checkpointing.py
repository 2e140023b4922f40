"""Save the training state to the run folder, restore it, and roll back to an older checkpoint."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sparring.core.errors import CheckpointWriteError, CorruptFileError
from sparring.runs import checkpoint, generator_file
from sparring.runs.records import RunLogger
from sparring.training.collapse_guard import CollapseGuard
from sparring.training.state import Clock, TrainState


class Checkpointer:
    """Saves a training state to the run folder and restores it; only the main process writes.

    Arguments:
        state: of which checkpoints are written, and into which they are loaded.
        run_dir: the run folder.
        logger: its running means are part of a checkpoint.
        metadata: of the data, for the generator file (`data_metadata`).
    """

    def __init__(
        self, state: TrainState, run_dir: Path, logger: RunLogger, metadata: Mapping[str, Any]
    ) -> None:
        self.state, self.run_dir, self.logger, self.metadata = state, run_dir, logger, metadata
        self.rollbacks = 0
        self.guard = CollapseGuard(state.base_experiment)
        self.last_saved_images: int | None = None
        self.last_saved_time = time.monotonic()
        self._earlier_seconds, self._started = 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds spent on this run, over all its restarts."""
        return self._earlier_seconds + time.monotonic() - self._started

    def is_overdue(self, seconds: float) -> bool:
        """Whether the last save is longer ago than `seconds`."""
        return time.monotonic() - self.last_saved_time > seconds

    def save(self, *, final: bool = False, scheduled: bool = False) -> None:
        """Write a checkpoint and the generator file, unless the last one is of this clock.

        Arguments:
            final: raise an error if it fails; otherwise it is logged, and the next save tries again.
            scheduled: whether every run with these settings makes this save, so that a rescue can go back to it.

        Raises:
            CheckpointWriteError: it failed, and `final` is set.
        """
        self.last_saved_time = time.monotonic()
        images = self.state.clock.images
        if scheduled:
            self.guard.last_saved = images
        if not self.state.runtime.is_main_process or self.last_saved_images == images:
            return
        try:
            self.write_generator()  # first, so that a finished checkpoint has its generator
            checkpoint.save(self.run_dir, images, self.state.tensors(), self._state())
        except CheckpointWriteError as error:
            self.logger.log_event("checkpoint_failed", images, error.got)
            if final:
                raise
            return
        self.last_saved_images = images
        try:
            checkpoint.prune(self.run_dir, self.guard.needed_checkpoints)
        except OSError as error:
            self.logger.log_event("checkpoint_not_removed", images, str(error))

    def write_generator(self) -> None:
        """Write the generator file of this state.

        Raises:
            CheckpointWriteError: it failed.
        """
        if not self.state.runtime.is_main_process:
            return
        images = self.state.clock.images
        path, metadata = self.run_dir / generator_file.GENERATOR_FILE, {**self.metadata, "images": images}
        try:
            generator_file.save(path, self.state.model_for_inference(), self.state.experiment, metadata)
        except OSError as error:
            raise checkpoint.write_error(path, error) from error

    def _state(self) -> dict[str, Any]:
        return {
            "clock": asdict(self.state.clock),
            "roll_backs": self.rollbacks,
            **({"guard": guard} if (guard := self.guard.state()) else {}),
            "seconds": self.seconds,
            "record": self.logger.state(),
            "machine": self.state.runtime.describe(),
        }

    def restore(self, skip: int = 0, newest: int | None = None) -> list[CorruptFileError]:
        """Load the newest checkpoint that verifies, or an older one. Without a checkpoint nothing changes.

        The main process chooses for all. Remedies that are in force stay so, whatever the checkpoint's level.

        Arguments:
            skip: how many good checkpoints to skip; they are removed.
            newest: later ones, in images seen, are removed as well.

        Returns:
            The errors of the damaged checkpoints that were skipped; each is also logged.

        Raises:
            CorruptFileError: the checkpoint's digests are right, but it is not one of this run.
        """
        is_main = self.state.runtime.is_main_process
        for images in reversed(checkpoint.list_checkpoints(self.run_dir)) if is_main else ():
            if newest is not None and images > newest:
                checkpoint.delete(self.run_dir, images)
        chosen, damaged = self._select(skip) if is_main else (-1, [])
        chosen = self.state.runtime.broadcast_int(chosen)
        if chosen >= 0:
            self._load(checkpoint.read(self.run_dir, chosen))
        elif damaged and self.state.clock.images == 0:
            self.logger.restore({}, 0)  # the run begins anew
        for error in damaged:
            self.logger.log_event("checkpoint_corrupt", self.state.clock.images, error.got)
        return damaged

    def _select(self, skip: int) -> tuple[int, list[CorruptFileError]]:
        damaged: list[CorruptFileError] = []
        good: list[int] = []
        for candidate in checkpoint.iterate_verified(self.run_dir):
            if isinstance(candidate, CorruptFileError):
                damaged.append(candidate)
                continue
            good.append(candidate.images)
            if len(good) > skip:
                break
        for images in good[:-1]:
            checkpoint.delete(self.run_dir, images)
        return (good[-1] if good else -1), damaged

    def _load(self, saved: checkpoint.Checkpoint) -> None:
        try:
            clock = _parse_clock(saved.state["clock"], saved.images)
            saved_level, level = clock.level, max(clock.level, self.state.clock.level)
            if level != self.state.clock.level:
                self.state.reset(level)
            self.state.load(saved.load(self.state.tensors(), can_lack=saved_level < level))
            self.state.clock = replace(clock, level=level)
            if self.guard.state():
                self.guard.restore({n: _parse_count(saved.state["guard"][n]) for n in self.guard.state()})
            self.rollbacks = max(self.rollbacks, _parse_count(saved.state["roll_backs"]))
            self._earlier_seconds, self._started = _parse_float(saved.state["seconds"]), time.monotonic()
            self.logger.restore(_parse_sums(saved.state["record"]), saved.images)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptFileError(
                f"state.json: {error!r}", "a state written by Sparring", "remove this checkpoint"
            ) from error
        self.last_saved_images = saved.images
        self._log_if_machine_changed(saved.state.get("machine"))

    def _log_if_machine_changed(self, before: Any) -> None:
        now = self.state.runtime.describe()
        if isinstance(before, dict) and before != now:
            changed = {
                name: [before.get(name), value] for name, value in now.items() if before.get(name) != value
            }
            self.logger.log_event("machine_changed", self.state.clock.images, changed=changed)


def _parse_clock(values: Mapping[str, Any], images: int) -> Clock:
    values = {"level": 0, **values}  # the first checkpoints of format 2 have no level
    clock = Clock(**{name: _parse_count(values[name]) for name in asdict(Clock())})
    if clock.images != images:
        raise ValueError(f"a clock at {clock.images} in the checkpoint of {images}")
    return clock


def _parse_count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError(f"{str(value)[:40]!r} is not a whole number of at least 0")
    return value


def _parse_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is not a finite number")
    return float(value)


def _parse_sums(values: Mapping[str, Any]) -> dict[str, list[float]]:
    sums = {name: [_parse_float(number) for number in total] for name, total in values.items()}
    if not all(len(total) == 2 and total[1] >= 1 for total in sums.values()):
        raise ValueError("running means are pairs of a sum and a count of at least 1")
    return sums
