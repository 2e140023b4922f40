"""The records of a run: `metrics.jsonl`, `evaluations.jsonl` and `events.jsonl`, written by RunLogger and
read back by functions.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.runs.upgrade import upgrade

METRICS_FILE, EVENTS_FILE, EVALUATIONS_FILE = "metrics.jsonl", "events.jsonl", "evaluations.jsonl"
STALL_PATIENCE = 5  # evaluations without a better one, after which that is said


class RunLogger:
    """Means of what the steps came to since the last report.

    Arguments:
        run: the run folder; None keeps no files (every process but the first).
    """

    def __init__(self, run: Path | None) -> None:
        self.run = run
        self.sums: dict[str, list[float]] = {}
        self.latest: dict[str, Any] = {}
        self.evaluations: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, float]]) -> None:
        """Take in confirmed steps."""
        for row in rows:
            for name, value in row.items():
                total = self.sums.setdefault(name, [0.0, 0.0])
                total[0] += value
                total[1] += 1

    def log_metrics(self, images: int, step: int, timing: Mapping[str, float]) -> dict[str, Any]:
        """Write the line of metrics of this moment, and begin anew."""
        means = {name: total / count for name, (total, count) in self.sums.items()}
        self.latest = {"images": images, "step": step, **timing, **means}
        self.sums = {}
        self._append(METRICS_FILE, self.latest)
        return self.latest

    def log_evaluation(self, row: Mapping[str, Any]) -> None:
        """Write down an evaluation (`images`, `protocol`, `value`, `better` and more); its value is part of the next report."""
        self.evaluations.append(dict(row))
        self.add([{f"metric/{row['protocol']}": row["value"]}])
        self._append(EVALUATIONS_FILE, row)

    def log_event(self, kind: str, images: int, **details: Any) -> None:
        """Write down something unusual."""
        self._append(EVENTS_FILE, {"event": kind, "images": images, **details})

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        if self.run is None:
            return
        try:
            storage.append(
                self.run / name, json.dumps({key: _finite_or_none(value) for key, value in row.items()})
            )
        except OSError:
            pass  # a full disk must not stop training; the checkpoint says so itself

    def state(self) -> dict[str, list[float]]:
        """What a checkpoint must hold, so that a report after a restart is the same."""
        return {name: list(total) for name, total in self.sums.items()}

    def restore(self, state: Mapping[str, list[float]], images: int) -> None:
        """Go back to a checkpoint: the lines after it are dropped, and a torn last one."""
        self.sums = {name: list(total) for name, total in state.items()}
        kept = {name: self._truncate(name, images) for name in (METRICS_FILE, EVALUATIONS_FILE)}
        self.latest, self.evaluations = (
            (kept[METRICS_FILE] or [{}])[-1],
            _valid_evaluations(kept[EVALUATIONS_FILE]),
        )

    def _truncate(self, name: str, images: int) -> list[dict[str, Any]]:
        if self.run is None or not (self.run / name).exists():
            return []
        rows = [row for row in read_metrics(self.run / name) if row["images"] <= images]
        try:
            storage.write_atomic(self.run / name, "".join(json.dumps(row) + "\n" for row in rows).encode())
        except OSError:
            pass  # `metrics` sees that the lines which follow go back in time
        return rows


def read_json_table(path: Path) -> dict[str, Any]:
    """A JSON file that holds a table; an empty one if it does not."""
    try:
        found = json.loads(storage.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_run_json(run: Path) -> dict[str, Any]:
    """What `run.json` holds, whatever is odd about it.

    Raises:
        SparringError: the folder holds no run.
    """
    document = read_json_table(run / "run.json")
    if not document:
        raise SparringError(
            f"no run.json in {run} that can be read",
            "a run folder",
            "give the folder that was --out of `sparring train`",
        )
    try:
        return upgrade(document)
    except (KeyError, RecursionError):  # without a format, or nested too deep: as it stands
        return document


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics in the order of time; where a run went back to a checkpoint, what came after that is left out."""
    rows: list[dict[str, Any]] = []
    for row in read_jsonl(path):
        if not isinstance(row.get("images"), int):
            continue
        while rows and rows[-1]["images"] >= row["images"]:
            rows.pop()
        rows.append(row)
    return rows


def read_evaluations(run: Path) -> list[dict[str, Any]]:
    """The evaluations made while the run was trained, in the order of time."""
    return _valid_evaluations(read_metrics(run / EVALUATIONS_FILE))


def _valid_evaluations(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that name a protocol and have a value."""
    return [
        row
        for row in rows
        if isinstance(row.get("protocol"), str)
        and isinstance(row.get("value"), int | float)
        and math.isfinite(row["value"])
    ]


def best_evaluation(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The evaluation with the best value, the first of equals.

    >>> best_evaluation([{"value": 3.0, "better": "lower"}, {"value": 2.0, "better": "lower"}])["value"]
    2.0
    """
    return min(
        rows, key=lambda row: row["value"] if row.get("better") == "lower" else -row["value"], default=None
    )


def has_reached(row: Mapping[str, Any] | None, target: float | None) -> bool:
    """Whether an evaluation is at least as good as `target`."""
    if row is None or target is None:
        return False
    return bool(row["value"] <= target if row.get("better") == "lower" else row["value"] >= target)


def is_evaluation_missing(rows: Sequence[Mapping[str, Any]], images: int, every: int, length: int) -> bool:
    """Whether the evaluation that was last due at `images` was not made: one is due at each multiple of `every`, and at the end.

    >>> is_evaluation_missing([{"images": 300}], 450, 300, 1000), is_evaluation_missing([{"images": 900}], 1000, 300, 1000)
    (False, True)
    """
    last = int(rows[-1]["images"]) if rows else 0
    return every > 0 and (images // every > last // every or (images >= length and last < images))


def stalled_since(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The image at which the metric was best, at the very evaluation that is the last of `STALL_PATIENCE` which were no better."""
    found = best_evaluation(rows)
    behind = sum(found is not None and row["images"] > found["images"] for row in rows)
    return int(found["images"]) if found is not None and behind == STALL_PATIENCE else None


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a record, torn or foreign ones left out; none if the file is not there."""
    if not path.exists():
        return []
    rows = []
    for line in storage.read(path).decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def _finite_or_none(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Status:
    """What a spectator is told: where the run is, how fast it goes, the latest line of the record, and all evaluations."""

    images: int
    total_images: int
    images_per_second: float
    seconds_left: float
    latest: Mapping[str, Any]
    evaluations: Sequence[Mapping[str, Any]] = ()


StatusCallback = Callable[[Status], None]
