"""Begin a run or resume it: open the data, resolve the experiment, lock the run folder, train."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sparring.core import storage
from sparring.core.errors import ConfigError, CorruptFileError, DataError, RunLockedError, SparringError
from sparring.core.progress import ProgressCallback
from sparring.core.runtime import Runtime
from sparring.core.signals import Interrupt
from sparring.data import Dataset, StopRequested, open_data
from sparring.experiment import Experiment
from sparring.runs import checkpoint, records
from sparring.runs.records import StatusCallback
from sparring.runs.request import Request, build_data_config, check_batch_divides, resolve_experiment
from sparring.runs.run_json import RUN_FILE, data_metadata, load_run_json, write_run_json
from sparring.runs.upgrade import FORMAT
from sparring.training import throughput
from sparring.training.loop import Outcome, TrainingLoop
from sparring.training.state import TrainState
from sparring.training.validation import EVALUATION_FAILED, check_likelihood, clear_prepared, prepare_training
from sparring.training.validation import target_outcome as outcome_words

__all__ = ["RUN_FILE", "TrainResult", "data_metadata", "run_training"]
TRAINING_TIME_SHARE = 0.85  # of the time given goes into steps; the rest is starting, showing and saving


@dataclass(frozen=True)
class TrainResult:
    """How a call of `run_training` ended: `was_finished` is true where the run was over before; `target_summary` tells what became of its target."""

    run: Path
    outcome: Outcome
    was_finished: bool = False
    exit_code: int = 0
    target_summary: str = ""


def run_training(
    request: Request,
    out: Path,
    runtime: Callable[[bool], Runtime],
    on_progress: StatusCallback = lambda status: None,
    on_start: Callable[[Experiment, Dataset, int], None] = lambda experiment, dataset, images: None,
    on_read: ProgressCallback | None = None,
) -> TrainResult:
    """Train as asked, in the folder `out`; go on where an earlier call of the same request stopped.

    Arguments:
        runtime: starts the machine, told whether the data is images.
        spectator: is told of the progress.
        announce: is told what will be played, and from which image on, before it begins.
        reading: is told (done, total) while the data is read.

    Raises:
        RunLockedError: another process is at it. ConfigError: the run was begun otherwise. DataError: the data changed, or is
        unusable. DivergedError: training diverged again and again. CheckpointWriteError: the folder can't be written to.
    """
    began = time.monotonic()
    with Interrupt() as interrupt:
        before = load_run_json(out)
        _check_same_request(request, before, out)
        try:
            dataset = _open_dataset(request, before, interrupt, on_read)
            if interrupt():
                raise StopRequested
        except StopRequested:
            return TrainResult(out, "stopped", exit_code=interrupt.exit_code)
        machine = runtime(dataset.spec.is_image)
        lock: storage.RunLock | None = None
        try:
            with _main_process_first(machine):
                experiment = None
                planned = (
                    _plan_experiment(request, dataset, machine)
                    if machine.is_main_process and before is None
                    else None
                )
                lock = _lock_run_dir(out, before) if machine.is_main_process else None
                if planned is not None:
                    experiment = _begin_run(request, out, dataset, machine, planned)
                elif machine.is_main_process:
                    experiment = _load_experiment(out, machine)
                if experiment is not None and not _is_finished(out, experiment):
                    prepare_training(experiment, dataset, machine)
            experiment = experiment or _load_experiment(out, machine)
            check_batch_divides(experiment, machine)
            images, already = max(checkpoint.list_checkpoints(out), default=0), _is_finished(out, experiment)
            stage = prepare_training(experiment, dataset, machine, with_validator=not already)
            if not already:
                on_start(experiment, stage.training, images)
            fit = TrainingLoop(
                TrainState(experiment, stage.training, machine),
                out,
                data_metadata(stage.training),
                on_progress,
                stage,
            )
            outcome = fit.run(interrupt, _deadline(request, began))
        except OSError as error:
            raise checkpoint.write_error(out / RUN_FILE, error) from error
        except (MemoryError, RuntimeError) as error:
            raise _explain_out_of_memory(error) from error
        finally:
            if lock is not None:
                lock.release()
            machine.close()
            clear_prepared()
    code = interrupt.exit_code if outcome == "stopped" and interrupt() else 0
    return TrainResult(out, outcome, already, code, describe_target(out, experiment))


def describe_target(out: Path, experiment: Experiment) -> str:
    """How it stands with the run's target, in words; nothing where it has none."""
    training = experiment.training
    if training.target is None:
        return ""
    return outcome_words(training.metric, training.target, records.read_evaluations(out))


def _is_finished(out: Path, experiment: Experiment) -> bool:
    """Whether the run has reached its target, or its full length with the evaluation there, and its checkpoint is whole."""
    images, training = max(checkpoint.list_checkpoints(out), default=0), experiment.training
    rows = [row for row in records.read_evaluations(out) if row["images"] <= images]
    if not records.has_reached(records.best_evaluation(rows), training.target):
        failed = [
            row
            for row in records.read_jsonl(out / records.EVENTS_FILE)
            if row.get("event") == EVALUATION_FAILED
        ]
        given_up = any(row.get("images") == images for row in failed)
        behind = (
            records.is_evaluation_missing(rows, images, training.evaluate_every, training.total_images)
            and not given_up
        )
        if images < training.total_images or behind:
            return False
    return not isinstance(next(checkpoint.iterate_verified(out)), CorruptFileError)


def _deadline(request: Request, began: float) -> float | None:
    seconds = request.time_limit()
    return None if seconds is None or request.images is None else began + seconds


@contextlib.contextmanager
def _main_process_first(machine: Runtime) -> Iterator[None]:
    """What the first process does while the others wait; if it fails, all of them do."""
    failure: Exception | None = None
    try:
        yield
    except (SparringError, OSError) as error:
        failure = error
    failed = machine.any_process(failure is not None)
    if failure is not None:
        raise failure
    if failed:
        raise SparringError("the first process could not begin", "a run that begins", "see what it says")


def _lock_run_dir(out: Path, before: dict[str, Any] | None) -> storage.RunLock:
    try:
        storage.make_folder(out)
        lock = storage.RunLock(out)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(
            f"--out {out}: {error}", "a folder that can be written to", "choose another --out"
        ) from error
    try:
        if load_run_json(out) != before:
            raise RunLockedError(
                f"{out} was begun by another process just now",
                "one writer at a time",
                "give the same command again",
            )
        checkpoint.remove_leftovers(out)
    except BaseException:
        lock.release()
        raise
    return lock


def _explain_out_of_memory(error: Exception) -> Exception:
    """What to tell of an error: that the memory is too small, if it is that; else the error itself."""
    told = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
    if not told:
        return error
    return ConfigError(
        f"not enough memory: {str(error)[:200].splitlines()[:1]}",
        "a batch and networks that fit",
        "halve training.micro_batch (the batch stays as it is), or choose a smaller --size or smaller networks and codes",
    )


def _check_same_request(request: Request, before: dict[str, Any] | None, out: Path) -> None:
    if before and before["format"] < FORMAT:
        raise ConfigError(
            f"{out} holds a run of an earlier version (format {before['format']})",
            f"a run of format {FORMAT}, to train it further",
            "choose another --out for a new run; sample, translate, evaluate and report still read this one",
        )
    changed = request.changes_from(before["request"]) if before else []
    if changed:
        raise ConfigError(
            f"{out} holds a run that was asked for otherwise: {'; '.join(changed)}",
            "the same request, which goes on with that run",
            "give the same options (or only --out) to go on, or choose another --out for a new run",
        )


def _open_dataset(
    request: Request,
    before: dict[str, Any] | None,
    stop: Callable[[], bool],
    on_read: ProgressCallback | None,
) -> Dataset:
    if before is None:
        return open_data(build_data_config(request, max_size=64), on_read, stop)
    experiment = Experiment.from_json(before["experiment"])
    dataset = open_data(experiment.data, on_read, stop)
    if dataset.fingerprint != before["data"]["fingerprint"]:
        raise DataError(
            f"{experiment.data.source} is not what this run was begun with: "
            f"{len(dataset):,} samples, then {before['data']['count']:,}",
            "the same data, sample for sample, under the same labels",
            "restore it, or begin a new run with another --out",
        )
    return dataset


def _load_experiment(out: Path, machine: Runtime) -> Experiment:
    document = load_run_json(out)
    if document is None:
        raise SparringError(
            f"no {out / RUN_FILE}", "a folder that all processes see", "put --out on a shared disk"
        )
    threads = document["machine"].get("threads")
    machine.use_threads(threads if isinstance(threads, int) else 0)
    return Experiment.from_json(document["experiment"])


def _plan_experiment(request: Request, dataset: Dataset, machine: Runtime) -> Experiment:
    """What was asked for, tried out before a folder is made for it."""
    experiment = resolve_experiment(request, dataset, machine)
    spec = (
        dataset.spec if dataset.classes else replace(dataset.spec, num_classes=experiment.data.pseudo_classes)
    )
    experiment.game.build(spec)
    check_likelihood(experiment, dataset)
    prepare_training(experiment, dataset, machine)
    return experiment


def _begin_run(
    request: Request, out: Path, dataset: Dataset, machine: Runtime, experiment: Experiment
) -> Experiment:
    throughput.choose_threads(experiment, dataset, machine)
    seconds = request.time_limit()
    if seconds is not None and request.images is None:
        if machine.world_size > 1:
            raise ConfigError(
                f"--until {request.until} without --images, with {machine.world_size} processes",
                "the length of the run",
                "add --images; --until then ends this call in time",
            )
        rate = throughput.measure_cost(experiment, dataset, machine).images_per_second
        batch = experiment.training.batch
        experiment = resolve_experiment(
            request, dataset, machine, max(batch, int(rate * seconds * TRAINING_TIME_SHARE) // batch * batch)
        )
    write_run_json(request, out, dataset, machine, experiment)
    return experiment
