"""The training loop: update the players, commit or revert the step, then report, evaluate, write previews and
save what is due.

References: Goodfellow et al. 2014, arXiv:1406.2661, Algorithm 1, for any game.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from sparring.core.errors import DivergedError
from sparring.core.runtime import synchronize
from sparring.runs import records
from sparring.runs.records import Status, StatusCallback
from sparring.training import diagnostics, previews
from sparring.training.checkpointing import Checkpointer
from sparring.training.nan_guard import NaNGuard, RepeatedNonFiniteError
from sparring.training.state import TrainState
from sparring.training.validation import TrainingSetup, ValidationSchedule

MAX_ROLLBACKS = 3
REDUCED_LR_STEPS = 1_000  # at half the learning rate after a roll-back


Metadata = Mapping[str, Any]

Outcome = Literal["finished", "reached", "stopped"]


class TrainingLoop:
    """A run in progress.

    Arguments:
        match: what is played.
        run: the run folder.
        facts: `units` and `classes` of the data, for what is shown and saved.
        spectator: told of the progress whenever it is confirmed.
        stage: who judges the run as it goes, and the samples held out.
    """

    def __init__(
        self,
        state: TrainState,
        run_dir: Path,
        metadata: Metadata,
        on_progress: StatusCallback,
        setup: TrainingSetup | None = None,
    ) -> None:
        self.state, self.run_dir, self.metadata, self.on_progress = state, run_dir, metadata, on_progress
        self.training = state.experiment.training
        self.record = records.RunLogger(run_dir if state.runtime.is_main_process else None)
        self.checkpointer = Checkpointer(state, run_dir, self.record, metadata)
        for error in self.checkpointer.restore():
            self.record.log_event("checkpoint_corrupt", state.clock.images, why=str(error))
        self.nan_guard = NaNGuard(state)
        self.validation = ValidationSchedule(state, self.record, setup)
        self.save_due = False
        self.started_seconds, self.started_images = time.monotonic(), state.clock.images

    def run(self, stop: Callable[[], bool], deadline: float | None = None) -> Outcome:
        """Play until the end, the target, a signal or the deadline (`time.monotonic()`), then save.

        Raises:
            DivergedError: three roll-backs did not help.
            CheckpointWriteError: the last save failed.
        """
        if self.state.clock.images == 0 and self.checkpointer.last_saved_images is None:
            self._write_previews()
            self.checkpointer.save(final=True)  # tells at once whether the folder can be written to
        stopping = self.validation.evaluate_missed(stop)
        while self.state.clock.images < self.training.total_images and not (
            stopping or self.validation.target_reached
        ):
            before = self.state.clock.images
            self.nan_guard.add(self.state.train_step())
            stopping = self.state.runtime.any_process(
                stop() or (deadline is not None and time.monotonic() > deadline)
            )
            if stopping or self.nan_guard.due or self._is_any_due(before):
                stopping = self._commit_steps(before) and stopping
        self.checkpointer.save(final=True)
        if self.validation.target_reached:
            return "reached"
        cut_short = self.validation.is_evaluation_missing() and self.state.runtime.any_process(stop())
        return (
            "finished"
            if self.state.clock.images >= self.training.total_images and not cut_short
            else "stopped"
        )

    def _is_any_due(self, before: int) -> bool:
        t = self.training
        intervals = (t.report_every, t.sample_every, t.save_every, t.evaluate_every)
        ends = self.state.clock.images >= t.total_images
        return ends or any(self._is_due(every, before) for every in intervals)

    def _is_due(self, every: int, before: int) -> bool:
        return every > 0 and self.state.clock.images // every > before // every

    def _commit_steps(self, before: int) -> bool:
        try:
            rows = self.nan_guard.commit()
        except RepeatedNonFiniteError:
            self._roll_back()
            return False
        for step in self.nan_guard.skipped_steps:
            self.record.log_event("step_skipped", self.state.clock.images, step=step)
        self.nan_guard.skipped_steps.clear()
        if rows is None:  # taken back, to be played again
            return False
        self.record.add(rows)
        self._report_and_save(before)
        self.on_progress(self.status())
        return True

    def _report_and_save(self, before: int) -> None:
        now, training = self.state.clock.images, self.training
        ends = now >= training.total_images
        self.validation.evaluation_due |= ends or self._is_due(training.evaluate_every, before)
        if (
            self.nan_guard.consecutive_bad_steps == 0
        ):  # what is best is saved, and that must not be amid bad steps
            self.save_due |= self.validation.evaluate()
        if ends or self._is_due(training.report_every, before):
            synchronize(self.state.runtime.device)
            self.record.add([diagnostics.measure(self.state, self.validation.held_out)])
            timing = {
                "seconds": self.checkpointer.seconds,
                "images_per_second": self.status().images_per_second,
            }
            self.record.log_metrics(
                now, self.state.clock.step, {name: round(value, 2) for name, value in timing.items()}
            )
        if ends or self._is_due(training.sample_every, before):
            self._write_previews()
        late = time.monotonic() - self.checkpointer.last_saved_time > training.save_every_seconds
        self.save_due |= late or self._is_due(training.save_every, before)
        if (
            self.save_due and self.nan_guard.consecutive_bad_steps == 0
        ):  # what is saved amid bad steps may be their cause
            self.save_due = False
            self.checkpointer.save()

    def _write_previews(self) -> None:
        if not self.state.runtime.is_main_process:
            return
        now, kept = self.state.clock.images, self.state.model_for_inference()
        try:
            data = self.state.stream.dataset, self.validation.held_out
            previews.write_previews(self.run_dir, now, kept, data, self.training.sample_grid)
        except OSError as error:
            self.record.log_event("previews_failed", now, why=str(error))

    def _roll_back(self) -> None:
        self.checkpointer.rollbacks += 1
        at, salt, times = self.state.clock.images, self.state.clock.salt, self.checkpointer.rollbacks
        if times > MAX_ROLLBACKS:
            raise DivergedError(
                f"numbers that are not finite at image {at:,}, again, after {MAX_ROLLBACKS} roll-backs",
                "losses that stay finite",
                "lower the learning rates (--set optimizers.generator.lr=1e-4), or choose a recipe with a gradient penalty",
            )
        for error in self.checkpointer.restore(skip=times - 1):
            self.record.log_event("checkpoint_corrupt", at, why=str(error))
        clock = self.state.clock
        clock.salt, clock.calm_until = salt + 1, clock.images + REDUCED_LR_STEPS * self.training.batch
        self.save_due = self.validation.evaluation_due = False
        self.nan_guard.reset()
        self.record.log_event("rolled_back", at, to=clock.images, times=times)

    def status(self) -> Status:
        """Where the run is."""
        images, total = self.state.clock.images, self.training.total_images
        rate = (images - self.started_images) / max(time.monotonic() - self.started_seconds, 1e-9)
        left = max(total - images, 0) / max(rate, 1e-9)
        return Status(images, total, rate, left, self.record.latest, self.record.evaluations)
