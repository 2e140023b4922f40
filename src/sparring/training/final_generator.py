"""What a finished run leaves in `generator.safetensors`: the last generator, or the best one where the last is
clearly worse.

The verdict is that of `runs/best.py` on the evaluations of the run, a pure function of evaluations.jsonl. The last
checkpoint stays in `checkpoints/`, so nothing is lost, and going on from it is exact.
"""

from pathlib import Path
from typing import Any

from sparring.core.errors import CorruptFileError
from sparring.data import Dataset
from sparring.runs import checkpoint, generator_file, records
from sparring.runs.best import Verdict, compare_evaluations, format_value
from sparring.runs.load_model import load_checkpoint_model
from sparring.training import previews
from sparring.training.checkpointing import Checkpointer


def keep_best_generator(checkpointer: Checkpointer, held_out: Dataset | None) -> None:
    """Write the best checkpoint's generator and samples, where the last one is clearly worse, and log it.

    The generator file is written last: a run that is killed before does this again at its next start.

    Arguments:
        checkpointer: after its last save.
        held_out: samples for the previews of translators.
    """
    run_dir, state = checkpointer.run_dir, checkpointer.state
    verdict = earlier_generator(run_dir)
    if verdict is None:
        return
    images = int(verdict.best["images"])
    _log_once(checkpointer, verdict, images)
    spec = state.model_for_inference().spec
    model = load_checkpoint_model(run_dir, state.experiment, spec, images, state.runtime)
    try:
        grid = state.experiment.training.sample_grid
        previews.write_previews(run_dir, images, model, (state.stream.dataset, held_out), grid)
    except OSError as error:
        checkpointer.logger.log_event("previews_failed", images, str(error))
    path = run_dir / generator_file.GENERATOR_FILE
    try:
        generator_file.save(path, model, state.experiment, {**checkpointer.metadata, "images": images})
    except OSError as error:
        raise checkpoint.write_error(path, error) from error


def earlier_generator(run: Path) -> Verdict | None:
    """The verdict on a finished run, if the generator of the best evaluation belongs into its file, and not the last one.

    None where the metric can't tell the last from the best, where the last was not evaluated (an evaluation failed), and
    where the best checkpoint is lost or damaged.
    """
    verdict = checkpoint.stored_verdict(run)
    newest = max(checkpoint.list_checkpoints(run), default=0)
    if verdict is None or not verdict.is_worse or verdict.newest["images"] != newest:
        return None
    try:
        checkpoint.read(run, int(verdict.best["images"]))
    except CorruptFileError:
        return None
    return verdict


def is_generator_due(run: Path) -> bool:
    """Whether the generator file of a finished run is not yet the one that it should be."""
    verdict = earlier_generator(run)
    held = generator_file.read_images(run / generator_file.GENERATOR_FILE)
    return verdict is not None and held != verdict.best["images"]


def generator_summary(run: Path) -> str:
    """A sentence on the evaluations of a finished run and on what its generator file holds; empty without a metric."""
    rows = records.read_evaluations(run)
    verdict = compare_evaluations(rows)
    if verdict is None:
        return ""
    text = f"{verdict.newest['protocol']}: {verdict.sentence}"
    images = generator_file.read_images(run / generator_file.GENERATOR_FILE)
    if verdict.is_worse and images == verdict.best["images"]:
        return (
            f"{text}. So generator.safetensors holds image {images:,}; the last is in checkpoints/ "
            "(--checkpoint last)"
        )
    return text


def _log_once(checkpointer: Checkpointer, verdict: Verdict, images: int) -> None:
    """Log the event, unless it was logged before a kill."""
    last = checkpointer.state.clock.images
    details: dict[str, Any] = {"holds": images, "metric": str(verdict.newest["protocol"])}
    events = records.read_jsonl(checkpointer.run_dir / records.EVENTS_FILE)
    known = [(row.get("event"), row.get("images"), row.get("holds")) for row in events]
    if ("earlier_generator", last, images) not in known:
        message = f"{format_value(verdict.newest)} after {format_value(verdict.best)} at image {images:,}"
        checkpointer.logger.log_event("earlier_generator", last, message, **details)
