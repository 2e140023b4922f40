"""Saving a match to its run folder, and going back to what was saved."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparring import checkpoint, generatorfile
from sparring.errors import CheckpointWriteError, CorruptFileError
from sparring.match import Clock, Match
from sparring.record import Record


class Keeper:
    """Saves and restores.

    Arguments:
        match: what is played.
        run: the run folder. Only the first of several processes writes to it.
        record: the run's record, whose running means are part of a checkpoint.
        facts: what a generator file must say beside its settings: `units` and `classes`.
    """

    def __init__(self, match: Match, run: Path, record: Record, facts: Mapping[str, Any]) -> None:
        self.match, self.run, self.record, self.facts = match, run, record, facts
        self.roll_backs = 0
        self.saved_at: int | None = None
        self.saved_time = time.monotonic()
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
        self.saved_time = time.monotonic()
        images = self.match.clock.images
        if not self.match.runtime.leads or self.saved_at == images:
            return
        try:
            self._write_generator(images)  # first, so that a finished checkpoint has its generator
            checkpoint.save(self.run, images, self.match.tensors(), self._state())
        except CheckpointWriteError as error:
            self.record.event("checkpoint not written", images, why=str(error))
            if final:
                raise
            return
        self.saved_at = images
        try:
            checkpoint.retire(self.run, checkpoint.best(self.run))
        except OSError as error:
            self.record.event("an old checkpoint not removed", images, why=str(error))

    def _write_generator(self, images: int) -> None:
        path, facts = self.run / generatorfile.NAME, {**self.facts, "images": images}
        try:
            generatorfile.write(path, self.match.kept, self.match.experiment, facts)
        except OSError as error:
            raise checkpoint.unwritten(path, error) from error

    def _state(self) -> dict[str, Any]:
        return {
            "clock": asdict(self.match.clock),
            "roll_backs": self.roll_backs,
            "seconds": self.seconds,
            "record": self.record.state(),
            "machine": self.match.runtime.describe(),
        }

    def restore(self, skip: int = 0) -> list[CorruptFileError]:
        """Go back to the newest checkpoint that verifies, or to an older one: `skip` good ones are passed over and removed.

        The first process chooses, for all. Without a checkpoint nothing changes.

        Returns:
            What is wrong with the damaged ones that were passed over.
        """
        chosen, damaged = self._choose(skip) if self.match.runtime.leads else (-1, [])
        chosen = self.match.runtime.number(chosen)
        if chosen >= 0:
            self._take(checkpoint.read(self.run, chosen))
        elif damaged and self.match.clock.images == 0:
            self.record.restore({}, 0)  # the lines of a run that can't be gone on with
        return damaged

    def _choose(self, skip: int) -> tuple[int, list[CorruptFileError]]:
        damaged: list[CorruptFileError] = []
        good: list[int] = []
        for found in checkpoint.verified(self.run):
            if isinstance(found, CorruptFileError):
                damaged.append(found)
                continue
            good.append(found.images)
            if len(good) > skip:
                break
        for images in good[:-1]:
            checkpoint.forget(self.run, images)
        return (good[-1] if good else -1), damaged

    def _take(self, found: checkpoint.Checkpoint) -> None:
        self.match.load(found.load(self.match.tensors()))
        try:
            self.match.clock = _clock(found.state["clock"], found.images)
            self.roll_backs = max(self.roll_backs, _natural(found.state["roll_backs"]))
            self._seconds_before, self._began = _finite(found.state["seconds"]), time.monotonic()
            self.record.restore(_sums(found.state["record"]), found.images)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptFileError(
                f"state.json: {error!r}", "a state written by Sparring", "use an older one"
            ) from error
        self.saved_at = found.images
        self._warn_of_other_machine(found.state.get("machine"))

    def _warn_of_other_machine(self, before: Any) -> None:
        now = self.match.runtime.describe()
        if isinstance(before, dict) and before != now:
            changed = {
                name: [before.get(name), value] for name, value in now.items() if before.get(name) != value
            }
            self.record.event(
                "resumed on another machine: not bit for bit the same",
                self.match.clock.images,
                changed=changed,
            )


def _clock(values: Mapping[str, Any], images: int) -> Clock:
    clock = Clock(**{name: _natural(values[name]) for name in asdict(Clock())})
    if clock.images != images:
        raise ValueError(f"a clock at {clock.images} in the checkpoint of {images}")
    return clock


def _natural(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError(f"{str(value)[:40]!r} is no whole number from 0 on")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no finite number")
    return float(value)


def _sums(values: Mapping[str, Any]) -> dict[str, list[float]]:
    sums = {name: [_finite(number) for number in total] for name, total in values.items()}
    if not all(len(total) == 2 and total[1] >= 1 for total in sums.values()):
        raise ValueError("running means that are none")
    return sums
