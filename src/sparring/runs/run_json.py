"""`run.json`: the request, the resolved experiment, the data's fingerprint and the environment of a run."""

import json
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.interfaces import Objective
from sparring.core.runtime import Runtime
from sparring.core.version import __version__
from sparring.data import Dataset, image_grid
from sparring.data.config import Fit
from sparring.data.image_grid import contact_sheet
from sparring.experiment import Experiment
from sparring.runs.records import RunLogger
from sparring.runs.request import Request

RUN_FILE = "run.json"
FORMAT = 1
MAX_BYTES = 8_000_000  # bytes
MAX_SKIPPED_NAMES = 20  # names in an event


def data_metadata(dataset: Dataset) -> dict[str, Any]:
    """What must be known of the data to use a generator that was trained on it."""
    return {"units": dataset.units, "classes": list(dataset.classes)}


def load_run_json(out: Path) -> dict[str, Any] | None:
    """The request, experiment, data and machine of a run; None if it was not begun.

    Raises:
        CorruptFileError: it is there, and can't be read.
    """
    path = out / RUN_FILE
    if not path.exists():
        return None
    try:
        document = json.loads(_read_limited(path))
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


def _read_limited(path: Path) -> str:
    """The text of the file, of which no run of ours has written a longer one."""
    content = storage.read_head(path, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CorruptFileError(
            f"{path} has more than {MAX_BYTES:,} bytes", "a run.json written by Sparring", "use another run"
        )
    return content.decode()


def load_experiment(path: Path) -> tuple[Experiment, dict[str, Any]]:
    """The experiment in a `run.json`, and what it says of its data.

    Raises:
        CorruptFileError: it can't be read. ConfigError: it is no experiment.
    """
    try:
        document = json.loads(_read_limited(path))
        return Experiment.from_json(document["experiment"]), dict(document["data"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, SparringError):
            raise
        raise CorruptFileError(
            f"{path}: {error!r}", "a run.json written by Sparring", "use another run"
        ) from error


def load_resize_mode(run: Path) -> Fit:
    """By which rule a run's images were brought to one size; `crop` of a generator's file, which does not say."""
    path = run / RUN_FILE
    return load_experiment(path)[0].data.fit if path.is_file() else "crop"


def objective_facts(experiment: Experiment) -> dict[str, Any]:
    """The facts of the objective that the doctor reads without importing torch; empty for games without an objective."""
    objective = getattr(experiment.game, "objective", None)
    if not isinstance(objective, Objective):
        return {}
    return {"generator_lost_above": objective.generator_lost_above}


def _log_skipped(dataset: Dataset, out: Path) -> None:
    """An event for the images that were left out of data with two domains: most of them lack a partner."""
    skipped = dataset.report.skipped
    if skipped:
        named = [f"{name}: {why}" for name, why in skipped[:MAX_SKIPPED_NAMES]]
        RunLogger(out).log_event("samples_skipped", 0, count=len(skipped), skipped="; ".join(named))


def write_run_json(
    request: Request, out: Path, dataset: Dataset, machine: Runtime, experiment: Experiment
) -> None:
    """Write down what a run is, and a look at its data. With this, the run has begun."""
    data = {
        "fingerprint": dataset.fingerprint,
        "count": len(dataset),
        "shape": list(dataset.spec.shape),
        **data_metadata(dataset),
    }
    document = {
        "format": FORMAT,
        "sparring": __version__,
        "request": request.to_json(),
        "experiment": experiment.to_json(),
        "objective": objective_facts(experiment),
        "data": data,
        "machine": machine.describe(),
    }
    if dataset.spec.shape_b is not None:
        data |= {"shape_b": list(dataset.spec.shape_b), "paired": dataset.paired}
        _log_skipped(dataset, out)
    storage.write_atomic(out / "data.json", json.dumps(dataset.report.as_dict(), indent=1).encode())
    storage.write_atomic(out / "data.png", image_grid.encode_png(contact_sheet(dataset, 8, 8)))
    storage.write_atomic(out / RUN_FILE, json.dumps(document, allow_nan=False, indent=1).encode())
