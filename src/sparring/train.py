"""`train`: from what was asked for to a trained run, or to the continuation of one."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sparring import checkpoint, probe, record, storage
from sparring.data import Dataset, Stopped, open_data
from sparring.data.report import Progress
from sparring.errors import ConfigError, CorruptFileError, DataError, RunLockedError, SparringError
from sparring.evaluation.examiner import NOT_EVALUATED
from sparring.evaluation.goal import outcome as outcome_words
from sparring.evaluation.stage import forget, prepare, require_explained
from sparring.experiment import Experiment
from sparring.fit import Fit, Outcome, Spectator
from sparring.interrupt import Interrupt
from sparring.match import Match
from sparring.request import Request, check_share, data_config, resolve
from sparring.runfile import RUN_FILE, facts_of, read_run, write_run
from sparring.runtime import Runtime

__all__ = ["RUN_FILE", "Result", "facts_of", "train"]
START_SHARE = 0.85  # of the time given goes into steps; the rest is starting, showing and saving


@dataclass(frozen=True)
class Result:
    """How a call of `train` ended: `already` is true where the run was over before; `goal` tells what became of its target."""

    run: Path
    outcome: Outcome
    already: bool = False
    exit_code: int = 0
    goal: str = ""


def train(
    request: Request,
    out: Path,
    runtime: Callable[[bool], Runtime],
    spectator: Spectator = lambda status: None,
    announce: Callable[[Experiment, Dataset, int], None] = lambda experiment, dataset, images: None,
    reading: Progress | None = None,
) -> Result:
    """Train as asked, in the folder `out`; go on where an earlier call of the same request stopped.

    Arguments:
        runtime: starts the machine, told whether the data is pictures.
        spectator: is told of the progress.
        announce: is told what will be played, and from which image on, before it begins.
        reading: is told (done, total) while the data is read.

    Raises:
        RunLockedError: another process is at it. ConfigError: the run was begun otherwise. DataError: the data changed, or is
        unusable. DivergedError: training diverged again and again. CheckpointWriteError: the folder can't be written to.
    """
    began = time.monotonic()
    with Interrupt() as interrupt:
        before = read_run(out)
        _refuse_if_different(request, before, out)
        try:
            dataset = _open(request, before, interrupt, reading)
            if interrupt():
                raise Stopped
        except Stopped:
            return Result(out, "stopped", exit_code=interrupt.exit_code)
        machine = runtime(dataset.spec.is_image)
        lock: storage.Lock | None = None
        try:
            with _together(machine):
                experiment = None
                planned = _planned(request, dataset, machine) if machine.leads and before is None else None
                lock = _hold(out, before) if machine.leads else None
                if planned is not None:
                    experiment = _begin(request, out, dataset, machine, planned)
                elif machine.leads:
                    experiment = _begun(out, machine)
                if experiment is not None and not _over(out, experiment):
                    prepare(experiment, dataset, machine)
            experiment = experiment or _begun(out, machine)
            check_share(experiment, machine)
            images, already = max(checkpoint.numbers(out), default=0), _over(out, experiment)
            stage = prepare(experiment, dataset, machine, examined=not already)
            if not already:
                announce(experiment, stage.training, images)
            fit = Fit(
                Match(experiment, stage.training, machine), out, facts_of(stage.training), spectator, stage
            )
            outcome = fit.play(interrupt, _deadline(request, began))
        except OSError as error:
            raise checkpoint.unwritten(out / RUN_FILE, error) from error
        except (MemoryError, RuntimeError) as error:
            raise _too_large(error) from error
        finally:
            if lock is not None:
                lock.release()
            machine.close()
            forget()
    code = interrupt.exit_code if outcome == "stopped" and interrupt() else 0
    return Result(out, outcome, already, code, goal_of(out, experiment))


def goal_of(out: Path, experiment: Experiment) -> str:
    """How it stands with the run's target, in words; nothing where it has none."""
    training = experiment.training
    if training.target is None:
        return ""
    return outcome_words(training.metric, training.target, record.evaluations(out))


def _over(out: Path, experiment: Experiment) -> bool:
    """Whether the run has reached its target, or its full length with the evaluation there, and its checkpoint is whole."""
    images, training = max(checkpoint.numbers(out), default=0), experiment.training
    rows = [row for row in record.evaluations(out) if row["images"] <= images]
    if not record.reaches(record.best(rows), training.target):
        failed = [row for row in record.read(out / record.EVENTS) if row.get("event") == NOT_EVALUATED]
        given_up = any(row.get("images") == images for row in failed)
        behind = record.missing(rows, images, training.evaluate_every, training.images) and not given_up
        if images < training.images or behind:
            return False
    return not isinstance(next(checkpoint.verified(out)), CorruptFileError)


def _deadline(request: Request, began: float) -> float | None:
    seconds = request.seconds()
    return None if seconds is None or request.images is None else began + seconds


@contextlib.contextmanager
def _together(machine: Runtime) -> Iterator[None]:
    """What the first process does while the others wait; if it fails, all of them do."""
    failure: Exception | None = None
    try:
        yield
    except (SparringError, OSError) as error:
        failure = error
    failed = machine.any(failure is not None)
    if failure is not None:
        raise failure
    if failed:
        raise SparringError("the first process could not begin", "a run that begins", "see what it says")


def _hold(out: Path, before: dict[str, Any] | None) -> storage.Lock:
    try:
        storage.make_folder(out)
        lock = storage.Lock(out)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(
            f"--out {out}: {error}", "a folder that can be written to", "choose another --out"
        ) from error
    try:
        if read_run(out) != before:
            raise RunLockedError(
                f"{out} was begun by another process just now",
                "one writer at a time",
                "give the same command again",
            )
        checkpoint.clean(out)
    except BaseException:
        lock.release()
        raise
    return lock


def _too_large(error: Exception) -> Exception:
    """What to tell of an error: that the memory is too small, if it is that; else the error itself."""
    told = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
    if not told:
        return error
    return ConfigError(
        f"not enough memory: {str(error)[:200].splitlines()[:1]}",
        "a batch and networks that fit",
        "halve training.micro_batch (the batch stays as it is), or choose a smaller --size or smaller networks and codes",
    )


def _refuse_if_different(request: Request, before: dict[str, Any] | None, out: Path) -> None:
    changed = request.differences(before["request"]) if before else []
    if changed:
        raise ConfigError(
            f"{out} holds a run that was asked for otherwise: {'; '.join(changed)}",
            "the same request, which goes on with that run",
            "give the same options (or only --out) to go on, or choose another --out for a new run",
        )


def _open(
    request: Request, before: dict[str, Any] | None, stop: Callable[[], bool], reading: Progress | None
) -> Dataset:
    if before is None:
        return open_data(data_config(request, largest=64), reading, stop)
    experiment = Experiment.from_json(before["experiment"])
    dataset = open_data(experiment.data, reading, stop)
    if dataset.fingerprint != before["data"]["fingerprint"]:
        raise DataError(
            f"{experiment.data.source} is not what this run was begun with: "
            f"{len(dataset):,} samples, then {before['data']['count']:,}",
            "the same data, sample for sample, under the same labels",
            "restore it, or begin a new run with another --out",
        )
    return dataset


def _begun(out: Path, machine: Runtime) -> Experiment:
    document = read_run(out)
    if document is None:
        raise SparringError(
            f"no {out / RUN_FILE}", "a folder that all processes see", "put --out on a shared disk"
        )
    threads = document["machine"].get("threads")
    machine.use_threads(threads if isinstance(threads, int) else 0)
    return Experiment.from_json(document["experiment"])


def _planned(request: Request, dataset: Dataset, machine: Runtime) -> Experiment:
    """What was asked for, tried out before a folder is made for it."""
    experiment = resolve(request, dataset, machine)
    spec = dataset.spec if dataset.classes else replace(dataset.spec, classes=experiment.data.groups)
    experiment.game.build(spec)
    require_explained(experiment, dataset)
    prepare(experiment, dataset, machine)
    return experiment


def _begin(
    request: Request, out: Path, dataset: Dataset, machine: Runtime, experiment: Experiment
) -> Experiment:
    probe.choose_threads(experiment, dataset, machine)
    seconds = request.seconds()
    if seconds is not None and request.images is None:
        if machine.world > 1:
            raise ConfigError(
                f"--until {request.until} without --images, with {machine.world} processes",
                "the length of the run",
                "add --images; --until then ends this call in time",
            )
        rate = probe.measure(experiment, dataset, machine).images_per_second
        batch = experiment.training.batch
        experiment = resolve(
            request, dataset, machine, max(batch, int(rate * seconds * START_SHARE) // batch * batch)
        )
    write_run(request, out, dataset, machine, experiment)
    return experiment
