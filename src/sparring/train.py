"""`train`: from what was asked for to a trained run, or to the continuation of one."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring import __version__, checkpoint, probe, samples, storage
from sparring.data import Dataset, open_data
from sparring.data.sheet import contact_sheet
from sparring.errors import ConfigError, CorruptFileError, DataError
from sparring.experiment import Experiment
from sparring.fit import Fit, Outcome, Spectator
from sparring.interrupt import Interrupt
from sparring.match import Match
from sparring.request import Request, data_config, resolve
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
        dataset = _open(request, before, interrupt)
        machine = runtime(dataset.spec.is_image)
        lock = _hold(out) if machine.leads else None
        try:
            experiment = _begin(request, out, dataset, machine, before)
            images = max(checkpoint.numbers(out), default=0)
            already = images >= experiment.training.images
            if not already:
                announce(experiment, dataset, images)
            outcome = _play(experiment, out, dataset, machine, spectator, interrupt, _deadline(request, began))
        finally:
            if lock is not None:
                lock.release()
            machine.close()
    return Result(out, outcome, already, interrupt.exit_code if interrupt() else 0)


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


def _hold(out: Path) -> storage.Lock:
    try:
        storage.make_folder(out)
        lock = storage.Lock(out)
        checkpoint.clean(out)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(f"--out {out}: {error}", "a folder that can be written to", "choose another --out") from error
    return lock


def _read_run(out: Path) -> dict[str, Any] | None:
    path = out / RUN_FILE
    if not path.exists():
        return None
    try:
        document = json.loads(storage.read(path))
        if document["format"] > FORMAT:
            raise CorruptFileError(f"{path} has format {document['format']}", f"at most {FORMAT}", "update Sparring")
        return {name: document[name] for name in ("request", "experiment", "data")}
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(f"{path}: {error!r}", "a run.json written by Sparring", "choose another --out") from error


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
            f"{experiment.data.source} is not what this run was begun with: {len(dataset):,} samples, then {before['data']['count']:,}",
            "the same data, sample for sample, under the same labels",
            "restore it, or begin a new run with another --out",
        )
    return dataset


def _begin(request: Request, out: Path, dataset: Dataset, machine: Runtime, before: dict[str, Any] | None) -> Experiment:
    if before is not None:
        return Experiment.from_json(before["experiment"])
    if not machine.leads:
        machine.wait()
        document = _read_run(out)
        assert document is not None
        return Experiment.from_json(document["experiment"])
    experiment = resolve(request, dataset, machine)
    seconds = request.seconds()
    if seconds is not None and request.images is None:
        cost = probe.measure(experiment, dataset, machine) if machine.world == 1 else None
        rate = cost.images_per_second if cost else 0.0
        batch = experiment.training.batch
        experiment = resolve(request, dataset, machine, max(batch, int(rate * seconds * START_SHARE) // batch * batch))
    _write_run(request, out, dataset, machine, experiment)
    machine.wait()
    return experiment


def _write_run(request: Request, out: Path, dataset: Dataset, machine: Runtime, experiment: Experiment) -> None:
    data = {"fingerprint": dataset.fingerprint, "count": len(dataset), "shape": list(dataset.spec.shape), **facts_of(dataset)}
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
