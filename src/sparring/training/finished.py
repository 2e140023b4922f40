"""Whether a run has ended, and how: read from its folder alone, before data or networks are touched.

A run that has ended is never begun again: the same command says so at once.
"""

from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import CorruptFileError
from sparring.core.progress import process_rank
from sparring.experiment import TrainingConfig
from sparring.runs import checkpoint, records
from sparring.runs.best import best_evaluation
from sparring.runs.records import RUN_FILE
from sparring.training.final_generator import is_generator_due
from sparring.training.loop import Outcome
from sparring.training.validation import target_outcome


def outcome_if_finished(out: Path, training: TrainingConfig) -> Outcome | None:
    """How a complete run ended; None if there is something left to do.

    It is complete with its target reached, or at its full length with the last evaluation made or failed, or after it gave
    up, if its newest checkpoint verifies. What a kill after the last checkpoint left behind is removed.
    """
    try:
        images = max(checkpoint.list_checkpoints(out), default=0)
        rows = [row for row in records.read_evaluations(out) if row["images"] <= images]
        reached = records.has_reached(best_evaluation(rows), training.target)
        gave_up = records.read_giving_up(out, training.total_images) is not None
        is_short = images < training.total_images or _is_behind(out, images, rows, training)
        if not reached and not gave_up and is_short:
            return None
        if isinstance(next(checkpoint.iterate_verified(out)), CorruptFileError) or is_generator_due(out):
            return None
        if process_rank() == 0 and checkpoint.find_leftovers(out):
            lock = storage.RunLock(out)
            try:
                checkpoint.remove_leftovers(out)
            finally:
                lock.release()
    except OSError as error:
        raise checkpoint.write_error(out / RUN_FILE, error) from error
    return "gave_up" if gave_up else "reached" if reached else "finished"


def _is_behind(out: Path, images: int, rows: list[dict[str, Any]], training: TrainingConfig) -> bool:
    """Whether the evaluation due at `images` is missing, and did not fail."""
    if not records.is_evaluation_missing(rows, images, training.evaluate_every, training.total_images):
        return False
    events = records.read_jsonl(out / records.EVENTS_FILE)
    return not any(row.get("event") == "evaluation_failed" and row.get("images") == images for row in events)


def target_summary(out: Path, training: TrainingConfig) -> str:
    """A sentence on the target of a run, for the terminal; empty without one."""
    if training.target is None:
        return ""
    return target_outcome(training.metric, training.target, records.read_evaluations(out))
