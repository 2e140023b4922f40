"""`train`: from what was asked for to a trained run, or to the continuation of one."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sparring import __version__, checkpoint, probe, samples, storage
from sparring.data import Dataset, Stopped, grouped, open_data
from sparring.data.sheet import contact_sheet
from sparring.errors import ConfigError, CorruptFileError, DataError, RunLockedError, SparringError
from sparring.experiment import Experiment
from sparring.fit import Fit, Outcome, Spectator
from sparring.interrupt import Interrupt
from sparring.match import Match
from sparring.request import Request, check_share, data_config, resolve
from sparring.runtime import Runtime

RUN_FILE = "run.json"
FORMAT = 1
START_SHARE = 0.85  # of the time given goes into steps; the rest is starting, showing and saving


@dataclass(frozen=True)
class Result:
    """How a call of `train` ended: `already` is true where the run was finished before."""

    run: Path
    outcome: Outcome
    already: bool = False
    exit_code: int = 0


def train(
    request: Request,
    out: Path,
    runtime: Callable[[bool], Runtime],
    spectator: Spectator = lambda status: None,
    announce: Callable[[Experiment, Dataset, int], None] = lambda experiment, dataset, images: None,
) -> Result:
    """Train as asked, in the folder `out`; go on where an earlier call of the same request stopped.

    Arguments:
        runtime: starts the machine, told whether the data is pictures.
        spectator: is told of the progress.
        announce: is told what will be played, and from which image on, before it begins.

    Raises:
        RunLockedError: another process is at it. ConfigError: the run was begun otherwise. DataError: the data changed, or is
        unusable. DivergedError: training diverged again and again. CheckpointWriteError: the folder can't be written to.
    """
    began = time.monotonic()
    with Interrupt() as interrupt:
        before = _read_run(out)
        _refuse_if_different(request, before, out)
        try:
            dataset = _open(request, before, interrupt)
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
            experiment = experiment or _begun(out, machine)
            check_share(experiment, machine)
            dataset = grouped(dataset, experiment.data.groups)
            images = max(checkpoint.numbers(out), default=0)
            already = images >= experiment.training.images
            if not already:
                announce(experiment, dataset, images)
            outcome = _play(
                experiment, out, dataset, machine, spectator, interrupt, _deadline(request, began)
            )
        except OSError as error:
            raise checkpoint.unwritten(out / RUN_FILE, error) from error
        except (MemoryError, RuntimeError) as error:
            raise _too_large(error) from error
        finally:
            if lock is not None:
                lock.release()
            machine.close()
    return Result(out, outcome, already, interrupt.exit_code if outcome == "stopped" and interrupt() else 0)


def facts_of(dataset: Dataset) -> dict[str, Any]:
    """What must be known of the data to use a generator that was trained on it."""
    return {"units": dataset.units, "classes": list(dataset.classes)}


def _play(
    experiment: Experiment,
    out: Path,
    dataset: Dataset,
    machine: Runtime,
    spectator: Spectator,
    stop: Callable[[], bool],
    deadline: float | None,
) -> Outcome:
    return Fit(Match(experiment, dataset, machine), out, facts_of(dataset), spectator).play(stop, deadline)


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
        if _read_run(out) != before:
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
        "halve training.micro_batch (the batch stays as it is), or choose a smaller --size",
    )


def _read_run(out: Path) -> dict[str, Any] | None:
    path = out / RUN_FILE
    if not path.exists():
        return None
    try:
        document = json.loads(storage.read(path).decode())
        if document["format"] > FORMAT:
            raise CorruptFileError(
                f"{path} has format {document['format']}", f"at most {FORMAT}", "update Sparring"
            )
        known = {name: document[name] for name in ("request", "experiment", "data")}
        known["machine"] = document.get("machine", {})
        data = known["data"]
        whole = all(isinstance(part, dict) for part in known.values())
        if not whole or not isinstance(data["fingerprint"], str) or not isinstance(data["count"], int):
            raise TypeError("a part is not what it should be")
        return known
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path}: {error!r}", "a run.json written by Sparring", "choose another --out"
        ) from error


def _refuse_if_different(request: Request, before: dict[str, Any] | None, out: Path) -> None:
    changed = request.differences(before["request"]) if before else []
    if changed:
        raise ConfigError(
            f"{out} holds a run that was asked for otherwise: {'; '.join(changed)}",
            "the same request, which goes on with that run",
            "give the same options (or only --out) to go on, or choose another --out for a new run",
        )


def _open(request: Request, before: dict[str, Any] | None, stop: Callable[[], bool]) -> Dataset:
    if before is None:
        return open_data(data_config(request, largest=64), stop=stop)
    experiment = Experiment.from_json(before["experiment"])
    dataset = open_data(experiment.data, stop=stop)
    if dataset.fingerprint != before["data"]["fingerprint"]:
        raise DataError(
            f"{experiment.data.source} is not what this run was begun with: "
            f"{len(dataset):,} samples, then {before['data']['count']:,}",
            "the same data, sample for sample, under the same labels",
            "restore it, or begin a new run with another --out",
        )
    return dataset


def _begun(out: Path, machine: Runtime) -> Experiment:
    document = _read_run(out)
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
    _write_run(request, out, dataset, machine, experiment)
    return experiment


def _write_run(
    request: Request, out: Path, dataset: Dataset, machine: Runtime, experiment: Experiment
) -> None:
    data = {
        "fingerprint": dataset.fingerprint,
        "count": len(dataset),
        "shape": list(dataset.spec.shape),
        **facts_of(dataset),
    }
    document = {
        "format": FORMAT,
        "sparring": __version__,
        "request": request.to_json(),
        "experiment": experiment.to_json(),
        "data": data,
        "machine": machine.describe(),
    }
    storage.write_whole(out / "data.json", json.dumps(dataset.report.as_dict(), indent=1).encode())
    storage.write_whole(out / "data.png", samples.png(contact_sheet(dataset, 8, 8)))
    storage.write_whole(out / RUN_FILE, json.dumps(document, allow_nan=False, indent=1).encode())
