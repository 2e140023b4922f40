"""`run.json`: the request, the resolved experiment, the fingerprint of the data and the environment of a run.

`load_run_json` checks what it reads; `records.read_run_json` reads the same file without any check.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import CorruptFileError
from sparring.core.interfaces import Objective
from sparring.core.runtime import Runtime
from sparring.core.version import __version__
from sparring.data import Dataset, image_grid
from sparring.data.config import Fit
from sparring.data.image_grid import contact_sheet
from sparring.experiment import Experiment
from sparring.runs.records import RUN_FILE, RunLogger
from sparring.runs.request import Request
from sparring.runs.upgrade import FORMAT, upgrade

MAX_BYTES = 8_000_000  # of run.json; ours are a few kilobytes
MAX_SKIPPED_NAMES = 20  # file names in the event `samples_skipped`


def data_metadata(dataset: Dataset) -> dict[str, Any]:
    """What using a trained model needs to know about its data: `units` (scale of points) and `classes` (names)."""
    return {"units": dataset.units, "classes": list(dataset.classes)}


def load_run_json(out: Path) -> dict[str, Any] | None:
    """The `request`, `experiment`, `data` and `machine` of a run, as JSON objects, and the `format` they were written in;
    `continued`: one object for each time the run was made longer; and `from`, where it begins with the weights of another run.

    None if there is no `run.json`. Settings of format 1 are upgraded.

    Raises:
        CorruptFileError: the file can't be read, or a part is missing or of the wrong type.
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
        upgraded = upgrade(document)
        parts = {name: upgraded[name] for name in ("request", "experiment", "data")}
        parts["machine"] = upgraded.get("machine", {})
        parts |= {"from": upgraded["from"]} if "from" in upgraded else {}
        data = parts["data"]
        are_objects = all(isinstance(part, dict) for part in parts.values())
        if not are_objects or not isinstance(data["fingerprint"], str) or not isinstance(data["count"], int):
            raise TypeError("a part has the wrong type")
        continued = [
            {name: entry[name] for name in ("total_images", "until")}
            for entry in document.get("continued", [])
        ]
        return {**parts, "format": document["format"], "continued": continued}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{path}: {error!r}", "a run.json written by Sparring", "choose another --out"
        ) from error


def _read_limited(path: Path) -> str:
    """The text of a file of at most `MAX_BYTES`, so that a foreign file can't fill the memory."""
    content = storage.read_head(path, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CorruptFileError(
            f"{path} has more than {MAX_BYTES:,} bytes", "a run.json written by Sparring", "use another run"
        )
    return content.decode()


def load_experiment(path: Path) -> tuple[Experiment, dict[str, Any]]:
    """The experiment in a `run.json`, and its description of the data.

    Arguments:
        path: of the file.

    Raises:
        CorruptFileError: the file is missing or can't be read. ConfigError: it holds no valid experiment.
    """
    document = load_run_json(path.parent)
    if document is None:
        raise CorruptFileError(f"no {path}", "a run.json written by Sparring", "use another run")
    return Experiment.from_json(document["experiment"]), document["data"]


def load_resize_mode(run: Path) -> Fit:
    """How images were resized to the run's size (`data.fit`); `crop` for a generator file alone, which does not store it."""
    path = run / RUN_FILE
    return load_experiment(path)[0].data.fit if path.is_file() else "crop"


def objective_facts(experiment: Experiment) -> dict[str, Any]:
    """The facts of the objective that the doctor reads without importing torch; empty for games without an objective."""
    objective = getattr(experiment.game, "objective", None)
    if not isinstance(objective, Objective):
        return {}
    return {"generator_lost_above": objective.generator_lost_above}


def _log_skipped(dataset: Dataset, out: Path) -> None:
    """Log the images of two domains that are not used; most of them lack a partner."""
    skipped = dataset.report.skipped
    if skipped:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:MAX_SKIPPED_NAMES])
        RunLogger(out).log_event("samples_skipped", 0, count=len(skipped), skipped=reasons)


def write_run_json(
    request: Request,
    out: Path,
    dataset: Dataset,
    runtime: Runtime,
    experiment: Experiment,
    source: Mapping[str, Any] | None = None,
) -> None:
    """Write `run.json`, and before it `data.json` and `data.png` (report and contact sheet of the data).

    A folder with a `run.json` is a run: it is written last.

    Arguments:
        source: where the first weights come from; None where they are random.
    """
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
        "machine": runtime.describe(),
        **({} if source is None else {"from": dict(source)}),
    }
    if dataset.spec.shape_b is not None:
        data |= {"shape_b": list(dataset.spec.shape_b), "paired": dataset.paired}
        _log_skipped(dataset, out)
    storage.write_atomic(out / "data.json", json.dumps(dataset.report.as_dict(), indent=1).encode())
    storage.write_atomic(out / "data.png", image_grid.encode_png(contact_sheet(dataset, 8, 8)))
    storage.write_atomic(out / RUN_FILE, json.dumps(document, allow_nan=False, indent=1).encode())


def append_continued(out: Path, experiment: Experiment, entry: Mapping[str, Any]) -> None:
    """Replace the experiment in `run.json` by a longer one, and append the change to its `continued`.

    Arguments:
        entry: `from_images`, `previous_total_images`, `total_images`, `until`, `schedules` (`extend.schedule_changes`).
    """
    document = json.loads(_read_limited(out / RUN_FILE))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    document["experiment"] = experiment.to_json()
    document["continued"] = [*document.get("continued", []), {**entry, "when": now}]
    storage.write_atomic(out / RUN_FILE, json.dumps(document, allow_nan=False, indent=1).encode())
