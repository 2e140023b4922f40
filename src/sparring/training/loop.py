"""The training loop: one step of every player, commit or revert it, then report, evaluate, write previews and
save what is due.

References: Goodfellow et al. 2014, arXiv:1406.2661, Algorithm 1, here for any game.
"""

import time
from collections.abc import Callable
from typing import Any, Literal, get_args

from sparring.core.errors import DivergedError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import synchronize
from sparring.protocols.rescue import Trouble
from sparring.runs.best import best_evaluation
from sparring.runs.records import (
    Status,
    StatusCallback,
    describe_rescue,
    has_reached,
    is_evaluation_missing,
)
from sparring.training import diagnostics, previews
from sparring.training.checkpointing import Checkpointer
from sparring.training.collapse_guard import LOGGED
from sparring.training.final_generator import keep_best_generator
from sparring.training.nan_guard import NaNGuard, RepeatedNonFiniteError
from sparring.training.setup import TrainingSetup
from sparring.training.state import TrainState

MAX_ROLLBACKS = 3
REDUCED_LR_STEPS = 1_000  # at half the learning rate after a roll-back

Outcome = Literal["finished", "reached", "stopped", "gave_up"]
Task = Literal["evaluate", "save", "scheduled"]  # "scheduled": the save is one of `save_every`
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)


class TrainingLoop:
    """Runs the steps of a run from the state it is given to the end, and writes its records.

    Arguments:
        state: restored from the last checkpoint, where there is one.
        checkpointer: of the same state; its logger writes the records.
        on_progress: called after every commit.
        setup: the held-out samples and the validator; None for neither.
    """

    def __init__(
        self,
        state: TrainState,
        checkpointer: Checkpointer,
        on_progress: StatusCallback = lambda status: None,
        setup: TrainingSetup | None = None,
    ) -> None:
        self.state, self.checkpointer, self.on_progress = state, checkpointer, on_progress
        self.run_dir, self.logger = checkpointer.run_dir, checkpointer.logger
        self.config, self.runtime = state.experiment.training, state.runtime
        self.held_out = setup.held_out if setup is not None else None
        self.validator = setup.validator if setup is not None else None
        self.monitor = ProgressMonitor()
        self.nan_guard = NaNGuard(state)
        self.owed: set[Task] = set()  # due, but put off until the steps are finite again
        self.images_before_step = state.clock.images
        self.target_reached = False
        self.notice = ""
        self.started_seconds, self.started_images = time.monotonic(), state.clock.images

    def run(self, stop: Callable[[], bool], deadline: float | None = None) -> Outcome:
        """Train until the end, the target, a signal or the deadline, then save.

        Arguments:
            stop: polled before every step and during evaluations.
            deadline: a time of `time.monotonic()`; None for no limit.

        Raises:
            DivergedError: `MAX_ROLLBACKS` roll-backs did not help.
            CheckpointWriteError: the last save failed.
        """
        state, config = self.state, self.config
        self.monitor = ProgressMonitor(stop=stop)
        if state.clock.images == 0 and self.checkpointer.last_saved_images is None:
            self._write_previews()
            self.checkpointer.save(final=True)  # fails now if the folder can't be written to
        stopping = self._evaluate_missed(stop)
        self.target_reached = self._has_reached_target()
        while state.clock.images < config.total_images and not (stopping or self.target_reached):
            self.images_before_step = state.clock.images
            self.nan_guard.add(state.train_step())
            is_late = deadline is not None and time.monotonic() > deadline
            stopping = self.runtime.any_process(stop() or is_late)
            if not (stopping or self.nan_guard.due or self._is_any_due()):
                continue
            if not self._commit():
                stopping = False  # the flag is read again after the steps that are repeated
                continue
            if self.due(config.evaluate_every):
                self.owed.add("evaluate")
            if self._can_do("evaluate") and self._evaluate():
                self.owed.add("save")
            if self.due(config.report_every) and (trouble := self._report()) is not None:
                if not self._rescue(trouble):
                    return "gave_up"
                stopping = False
                continue
            if self.due(config.sample_every):
                self._write_previews()
            if self.due(config.save_every):
                self.owed |= {"save", "scheduled"}
            if self.checkpointer.is_overdue(config.save_every_seconds):
                self.owed.add("save")
            if self._can_do("save"):
                self.checkpointer.save(scheduled="scheduled" in self.owed)
                self.owed -= {"save", "scheduled"}
            self.on_progress(self.status())
        self.checkpointer.save(final=True)
        outcome = self._outcome(stop)
        if outcome != "stopped" and self.runtime.is_main_process:
            keep_best_generator(self.checkpointer, self.held_out)
        return outcome

    def due(self, every: int) -> bool:
        """Whether the last step crossed a multiple of `every` images (0: never), or was the last one of the run."""
        before, now = self.images_before_step, self.state.clock.images
        return now >= self.config.total_images or (every > 0 and now // every > before // every)

    def _is_any_due(self) -> bool:
        config = self.config
        intervals = (config.report_every, config.sample_every, config.save_every, config.evaluate_every)
        return any(map(self.due, intervals))

    def _can_do(self, task: Task) -> bool:
        """Whether a task is owed and the last step was finite: weights amid bad steps may be their cause."""
        return task in self.owed and self.nan_guard.consecutive_bad_steps == 0

    def _commit(self) -> bool:
        """Commit the steps since the last commit and log their losses; or undo them, or go back to a checkpoint.

        Returns:
            Whether they were committed.
        """
        try:
            losses = self.nan_guard.commit()
        except RepeatedNonFiniteError:
            self._roll_back()
            return False
        if self.nan_guard.skipped_step is not None:
            self.logger.log_event("step_skipped", self.state.clock.images, step=self.nan_guard.skipped_step)
        if losses is None:
            return False
        self.logger.add(losses)
        return True

    def _roll_back(self) -> None:
        """Go back to the newest checkpoint, after that to older ones, with new random numbers and half the learning rate."""
        images, salt = self.state.clock.images, self.state.clock.salt
        self.checkpointer.rollbacks += 1
        rollbacks = self.checkpointer.rollbacks
        if rollbacks > MAX_ROLLBACKS:
            raise DivergedError(
                f"non-finite numbers at image {images:,}, again after {MAX_ROLLBACKS} roll-backs",
                "losses that stay finite",
                "lower the learning rates (--set optimizers.generator.lr=1e-4), or choose a recipe with a gradient penalty",
            )
        self.checkpointer.restore(skip=rollbacks - 1)
        clock = self.state.clock
        clock.salt, clock.calm_until = salt + 1, clock.images + REDUCED_LR_STEPS * self.config.batch
        self.owed.clear()
        self.nan_guard.reset()
        self.logger.log_event("rolled_back", images, to=clock.images, times=rollbacks)

    def _rescue(self, trouble: Trouble) -> bool:
        """Go back to the last healthy checkpoint, and go on from it with one more remedy.

        Returns:
            Whether there was a remedy left. If not, the run ends with that checkpoint and its generator.
        """
        checkpointer, guard, before = self.checkpointer, self.checkpointer.guard, self.state.clock
        remedy = guard.remedy(before.level)
        latest = self.logger.latest
        values = {name: round(latest[name], 4) for name in LOGGED if latest.get(name) is not None}
        level = before.level + (remedy is not None)
        self.state.reset(level)
        checkpointer.restore(newest=guard.anchor)
        clock = self.state.clock
        clock.salt = before.salt + 1
        guard.went_back(clock.images)
        self.nan_guard = NaNGuard(self.state)
        self.owed = {"save"}  # soon: until then a kill costs the steps since the checkpoint
        details: dict[str, Any] = {
            "to": clock.images,
            "total_images": self.config.total_images,
            "values": values,
        }
        if remedy is None:
            checkpointer.write_generator()
            self.logger.log_event("gave_up", before.images, trouble=trouble, **details)
            return False
        self.logger.log_event(trouble, before.images, **details, level=level, settings=list(remedy))
        self.notice = describe_rescue(trouble, before.images, clock.images, remedy)
        return True

    def _report(self) -> Trouble | None:
        """Log losses, diagnostics and speed; what is wrong by them for so long that the run must go back."""
        synchronize(self.runtime.device)
        self.logger.add([diagnostics.measure(self.state, self.held_out)])
        timing = {
            "seconds": round(self.checkpointer.seconds, 2),
            "images_per_second": round(self.status().images_per_second, 2),
        }
        row = self.logger.log_metrics(self.state.clock.images, self.state.clock.step, timing)
        trouble = self.checkpointer.guard.observe(row)
        if self.runtime.world_size == 1:
            return trouble
        number = self.runtime.broadcast_int(-1 if trouble is None else TROUBLES.index(trouble))
        return TROUBLES[number] if number >= 0 else None

    def _write_previews(self) -> None:
        if not self.runtime.is_main_process:
            return
        images, model = self.state.clock.images, self.state.model_for_inference()
        datasets = self.state.stream.dataset, self.held_out
        try:
            previews.write_previews(self.run_dir, images, model, datasets, self.config.sample_grid)
        except OSError as error:
            self.logger.log_event("previews_failed", images, str(error))

    def _evaluate(self) -> bool:
        """Evaluate the metric in the main process.

        Returns:
            Whether this is the best evaluation so far, which must be saved.
        """
        self.owed.discard("evaluate")
        if not self.config.metric:
            return False
        is_best = self.validator is not None and self.validator.evaluate(
            self.state, self.logger, self.monitor
        )
        self.target_reached = self._has_reached_target()
        return is_best

    def _evaluate_missed(self, stop: Callable[[], bool]) -> bool:
        """Make up for the last due evaluation, if a signal or an error prevented it.

        Returns:
            Whether to stop before the next step, as it was stopped again.
        """
        if not self._is_evaluation_missing():
            return False
        self._evaluate()
        return self.runtime.any_process(stop())

    def _is_evaluation_missing(self) -> bool:
        """Whether the last due evaluation is missing, as the main process sees it."""
        config = self.config
        is_missing = self.validator is not None and is_evaluation_missing(
            self.logger.evaluations, self.state.clock.images, config.evaluate_every, config.total_images
        )
        return self.runtime.any_process(is_missing)

    def _has_reached_target(self) -> bool:
        """Whether the best evaluation reaches the target, as the main process sees it."""
        target = self.config.target
        if target is None:
            return False
        return self.runtime.any_process(has_reached(best_evaluation(self.logger.evaluations), target))

    def _outcome(self, stop: Callable[[], bool]) -> Outcome:
        if self.target_reached:
            return "reached"
        is_cut_short = self._is_evaluation_missing() and self.runtime.any_process(stop())
        is_complete = self.state.clock.images >= self.config.total_images
        return "finished" if is_complete and not is_cut_short else "stopped"

    def status(self) -> Status:
        """The progress of the run."""
        images, total = self.state.clock.images, self.config.total_images
        seconds = max(time.monotonic() - self.started_seconds, 1e-9)
        rate = (images - self.started_images) / seconds
        seconds_left = max(total - images, 0) / max(rate, 1e-9)
        evaluations = self.logger.evaluations
        return Status(images, total, rate, seconds_left, self.logger.latest, evaluations, self.notice)
