"""The loop. It knows turns, not GANs: play a step, confirm it, and from time to time report, show samples and save.

Goodfellow et al. 2014 (arXiv:1406.2661), Algorithm 1, for any game.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sparring import moment, record, vitals
from sparring.errors import DivergedError
from sparring.evaluation.judge import Judge
from sparring.evaluation.stage import Stage
from sparring.guard import Guard, PersistentlyBadError
from sparring.keeper import Keeper
from sparring.match import Match
from sparring.runtime import synchronize

ROLL_BACKS = 3
CALM_STEPS = 1_000  # at half the learning rate after a roll-back


@dataclass(frozen=True)
class Status:
    """What a spectator is told: where the run is, how fast it goes, the latest line of the record, and all evaluations."""

    images: int
    total: int
    images_per_second: float
    seconds_left: float
    latest: Mapping[str, Any]
    evaluations: Sequence[Mapping[str, Any]] = ()


Facts = Mapping[str, Any]
Spectator = Callable[[Status], None]
Outcome = Literal["finished", "reached", "stopped"]


class Fit:
    """A run in progress.

    Arguments:
        match: what is played.
        run: the run folder.
        facts: `units` and `classes` of the data, for what is shown and saved.
        spectator: told of the progress whenever it is confirmed.
        stage: who judges the run as it goes, and the samples held out.
    """

    def __init__(
        self, match: Match, run: Path, facts: Facts, spectator: Spectator, stage: Stage | None = None
    ) -> None:
        self.match, self.run, self.facts, self.spectator = match, run, facts, spectator
        self.training = match.experiment.training
        self.record = record.Record(run if match.runtime.leads else None)
        self.keeper = Keeper(match, run, self.record, facts)
        for error in self.keeper.restore():
            self.record.event("damaged checkpoint passed over", match.clock.images, why=str(error))
        self.guard = Guard(match)
        self.judge = Judge(match, self.record, stage)
        self.owes_save = False
        self.began, self.began_at = time.monotonic(), match.clock.images

    def play(self, stop: Callable[[], bool], deadline: float | None = None) -> Outcome:
        """Play until the end, the target, a signal or the deadline (`time.monotonic()`), then save.

        Raises:
            DivergedError: three roll-backs did not help.
            CheckpointWriteError: the last save failed.
        """
        if self.match.clock.images == 0 and self.keeper.saved_at is None:
            self._show()
            self.keeper.save(final=True)  # tells at once whether the folder can be written to
        stopping = self.judge.catch_up(stop)
        while self.match.clock.images < self.training.images and not (stopping or self.judge.reached):
            before = self.match.clock.images
            self.guard.note(self.match.step())
            stopping = self.match.runtime.any(
                stop() or (deadline is not None and time.monotonic() > deadline)
            )
            if stopping or self.guard.due or self._marked(before):
                stopping = self._settle(before) and stopping
        self.keeper.save(final=True)
        if self.judge.reached:
            return "reached"
        cut_short = self.judge.behind() and self.match.runtime.any(stop())
        return "finished" if self.match.clock.images >= self.training.images and not cut_short else "stopped"

    def _marked(self, before: int) -> bool:
        t = self.training
        intervals = (t.report_every, t.sample_every, t.save_every, t.evaluate_every)
        ends = self.match.clock.images >= t.images
        return ends or any(self._passed(every, before) for every in intervals)

    def _passed(self, every: int, before: int) -> bool:
        return every > 0 and self.match.clock.images // every > before // every

    def _settle(self, before: int) -> bool:
        try:
            rows = self.guard.settle()
        except PersistentlyBadError:
            self._roll_back()
            return False
        for step in self.guard.skipped:
            self.record.event(
                "step skipped: it gave a number that is not finite", self.match.clock.images, step=step
            )
        self.guard.skipped.clear()
        if rows is None:  # taken back, to be played again
            return False
        self.record.add(rows)
        self._keep_up(before)
        self.spectator(self.status())
        return True

    def _keep_up(self, before: int) -> None:
        now, training = self.match.clock.images, self.training
        ends = now >= training.images
        self.judge.owes_look |= ends or self._passed(training.evaluate_every, before)
        if self.guard.bad_in_a_row == 0:  # what is best is saved, and that must not be amid bad steps
            self.owes_save |= self.judge.look()
        if ends or self._passed(training.report_every, before):
            synchronize(self.match.runtime.device)
            self.record.add([vitals.measure(self.match, self.judge.held)])
            timing = {"seconds": self.keeper.seconds, "images_per_second": self.status().images_per_second}
            self.record.report(
                now, self.match.clock.step, {name: round(value, 2) for name, value in timing.items()}
            )
        if ends or self._passed(training.sample_every, before):
            self._show()
        late = time.monotonic() - self.keeper.saved_time > training.save_seconds
        self.owes_save |= late or self._passed(training.save_every, before)
        if self.owes_save and self.guard.bad_in_a_row == 0:  # what is saved amid bad steps may be their cause
            self.owes_save = False
            self.keeper.save()

    def _show(self) -> None:
        if not self.match.runtime.leads:
            return
        now, kept = self.match.clock.images, self.match.kept
        try:
            data = self.match.dealer.dataset, self.judge.held
            moment.show(self.run, now, kept, data, self.training.grid)
        except OSError as error:
            self.record.event("samples not written", now, why=str(error))

    def _roll_back(self) -> None:
        self.keeper.roll_backs += 1
        at, salt, times = self.match.clock.images, self.match.clock.salt, self.keeper.roll_backs
        if times > ROLL_BACKS:
            raise DivergedError(
                f"numbers that are not finite at image {at:,}, again, after {ROLL_BACKS} roll-backs",
                "losses that stay finite",
                "lower the learning rates (--set optimizers.generator.lr=1e-4), or choose a recipe with a gradient penalty",
            )
        for error in self.keeper.restore(skip=times - 1):
            self.record.event("damaged checkpoint passed over", at, why=str(error))
        clock = self.match.clock
        clock.salt, clock.calm_until = salt + 1, clock.images + CALM_STEPS * self.training.batch
        self.owes_save = self.judge.owes_look = False
        self.guard.restart()
        self.record.event("rolled back after bad steps in a row", at, to=clock.images, times=times)

    def status(self) -> Status:
        """Where the run is."""
        images, total = self.match.clock.images, self.training.images
        rate = (images - self.began_at) / max(time.monotonic() - self.began, 1e-9)
        left = max(total - images, 0) / max(rate, 1e-9)
        return Status(images, total, rate, left, self.record.latest, self.record.evaluations)
