"""The records of a run: `metrics.jsonl`, `evaluations.jsonl` and `events.jsonl`, written by RunLogger and
read back by functions.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.runs.best import STALL_PATIENCE
from sparring.runs.upgrade import upgrade

RUN_FILE = "run.json"
METRICS_FILE, EVENTS_FILE, EVALUATIONS_FILE = "metrics.jsonl", "events.jsonl", "evaluations.jsonl"

EventCode = Literal[
    "checkpoint_corrupt",
    "checkpoint_failed",
    "checkpoint_not_removed",
    "collapsed",
    "discriminator_won",
    "earlier_generator",
    "evaluation_failed",
    "gave_up",
    "machine_changed",
    "metric_stalled",
    "previews_failed",
    "rolled_back",
    "samples_skipped",
    "step_skipped",
]
EVENTS: dict[EventCode, str] = {
    "checkpoint_corrupt": "a damaged checkpoint was skipped",
    "checkpoint_failed": "a checkpoint could not be written",
    "checkpoint_not_removed": "an old checkpoint could not be removed",
    "collapsed": "the generator collapsed: its samples were nearly all the same",
    "discriminator_won": "the discriminator won: it was always right, and the generator learned nothing from it",
    "earlier_generator": "generator.safetensors and samples.png are of an earlier checkpoint, as the last is clearly worse",
    "evaluation_failed": "an evaluation failed",
    "gave_up": "stopped: the run failed again after the last remedy; the generator is that of the last healthy checkpoint",
    "machine_changed": "resumed on a different machine or build: the result is no longer bit-for-bit reproducible",
    "metric_stalled": f"the metric has been clearly worse than its best for {STALL_PATIENCE} evaluations",
    "previews_failed": "the preview images could not be written",
    "rolled_back": "went back to an earlier checkpoint after repeated non-finite steps",
    "samples_skipped": "some images of the two domains were not used",
    "step_skipped": "a step with a non-finite loss or weight was undone and skipped",
}


class RunLogger:
    """Writes the records of a run, and averages the losses of the steps between two reports.

    Arguments:
        run: the run folder; None writes no files (every process but the main one).
    """

    def __init__(self, run: Path | None) -> None:
        self.run = run
        self.sums: dict[str, list[float]] = {}  # name -> [sum, count] since the last report
        self.latest: dict[str, Any] = {}
        self.evaluations: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, float]]) -> None:
        """Add the losses of committed steps to the running means."""
        for row in rows:
            for name, value in row.items():
                total = self.sums.setdefault(name, [0.0, 0.0])
                total[0] += value
                total[1] += 1

    def log_metrics(self, images: int, step: int, timing: Mapping[str, float]) -> dict[str, Any]:
        """Append the means since the last report to `metrics.jsonl` and reset them.

        Returns:
            The row that was written.
        """
        means = {name: total / count for name, (total, count) in self.sums.items()}
        self.latest = {"images": images, "step": step, **timing, **means}
        self.sums = {}
        self._append(METRICS_FILE, self.latest)
        return self.latest

    def log_evaluation(self, row: Mapping[str, Any]) -> None:
        """Append an evaluation to `evaluations.jsonl`; its value also enters the next report as `metric/<protocol>`.

        Arguments:
            row: with at least `images`, `protocol`, `value` and `better` (`lower` or `higher`).
        """
        self.evaluations.append(dict(row))
        self.add([{f"metric/{row['protocol']}": row["value"]}])
        self._append(EVALUATIONS_FILE, row)

    def log_event(self, code: EventCode, images: int, message: str = "", **details: Any) -> None:
        """Append an event to `events.jsonl`: its code, when it happened, a sentence, and further fields.

        Arguments:
            code: a key of `EVENTS`; readers compare events by it.
            images: the clock, in images seen.
            message: what else to say, appended to the sentence of the code.
            details: further fields of the row.
        """
        sentence = f"{EVENTS[code]}: {message}" if message else EVENTS[code]
        self._append(EVENTS_FILE, {"event": code, "images": images, "message": sentence, **details})

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        if self.run is None:
            return
        try:
            storage.append(
                self.run / name, json.dumps({key: _finite_or_none(value) for key, value in row.items()})
            )
        except OSError:
            pass  # a full disk must not stop training; the next checkpoint reports it

    def state(self) -> dict[str, list[float]]:
        """The running means, for the checkpoint, so that the first report after a restart is the same."""
        return {name: list(total) for name, total in self.sums.items()}

    def restore(self, state: Mapping[str, list[float]], images: int) -> None:
        """Restore the state saved with the checkpoint at `images`; later lines and torn ones are removed from the files."""
        self.sums = {name: list(total) for name, total in state.items()}
        metrics = self._truncate(METRICS_FILE, images)
        self.latest = metrics[-1] if metrics else {}
        self.evaluations = _valid_evaluations(self._truncate(EVALUATIONS_FILE, images))

    def _truncate(self, name: str, images: int) -> list[dict[str, Any]]:
        if self.run is None or not (self.run / name).exists():
            return []
        rows = [row for row in read_metrics(self.run / name) if row["images"] <= images]
        try:
            storage.write_atomic(self.run / name, "".join(json.dumps(row) + "\n" for row in rows).encode())
        except OSError:
            pass  # `read_metrics` drops these lines: those that follow them are earlier
        return rows


def read_json_table(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if the file is missing, damaged or holds something else."""
    try:
        document = json.loads(storage.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def read_run_json(run: Path) -> dict[str, Any]:
    """The content of `run.json` without any check of its fields, for readers that must not fail (doctor, report).

    Raises:
        SparringError: there is no readable `run.json`.
    """
    document = read_json_table(run / RUN_FILE)
    if not document:
        raise SparringError(
            f"no readable {RUN_FILE} in {run}",
            "a run folder",
            "give the folder that `sparring train --out` wrote",
        )
    try:
        return upgrade(document)
    except (KeyError, RecursionError):  # without a format, or nested too deep: as it stands
        return document


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON lines file in ascending order of `images`; rows that a later roll-back made obsolete are left out."""
    rows: list[dict[str, Any]] = []
    for row in read_jsonl(path):
        if not isinstance(row.get("images"), int):
            continue
        while rows and rows[-1]["images"] >= row["images"]:
            rows.pop()
        rows.append(row)
    return rows


def read_evaluations(run: Path) -> list[dict[str, Any]]:
    """The evaluations made during training, in ascending order of `images`."""
    return _valid_evaluations(read_metrics(run / EVALUATIONS_FILE))


def _valid_evaluations(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with a protocol and a finite value."""
    return [
        row
        for row in rows
        if isinstance(row.get("protocol"), str)
        and isinstance(row.get("value"), int | float)
        and math.isfinite(row["value"])
    ]


def has_reached(row: Mapping[str, Any] | None, target: float | None) -> bool:
    """Whether an evaluation is at least as good as the target value; False if either is None."""
    if row is None or target is None:
        return False
    return bool(row["value"] <= target if row.get("better") == "lower" else row["value"] >= target)


def is_evaluation_missing(rows: Sequence[Mapping[str, Any]], images: int, every: int, length: int) -> bool:
    """Whether the evaluation that was last due before `images` is missing: one is due at each multiple of `every` and at the end.

    Arguments:
        rows: the evaluations until now, ascending.
        images: the clock.
        every: interval in images; 0 evaluates never.
        length: total images of the run.

    >>> is_evaluation_missing([{"images": 300}], 450, 300, 1000), is_evaluation_missing([{"images": 900}], 1000, 300, 1000)
    (False, True)
    """
    last = int(rows[-1]["images"]) if rows else 0
    return every > 0 and (images // every > last // every or (images >= length and last < images))


RESCUES = {"collapsed": "the generator had collapsed", "discriminator_won": "the discriminator had won"}


def describe_rescue(code: str, images: int, to: int, settings: Sequence[str]) -> str:
    """A sentence on a rescue, for the terminal.

    >>> describe_rescue("collapsed", 9000, 4000, ["data.flip=true"])
    'image 9,000: the generator had collapsed; went on from image 4,000 with data.flip=true'
    """
    return f"image {images:,}: {RESCUES.get(code, code)}; went on from image {to:,} with {' '.join(settings)}"


def read_rescues(run: Path) -> list[str]:
    """A sentence on each rescue of a run; one that a kill repeated counts once."""
    rows: dict[tuple[int, str], str] = {}
    for row in read_jsonl(run / EVENTS_FILE):
        images, to, settings = (row.get(name) for name in ("images", "to", "settings"))
        if isinstance(images, int) and isinstance(to, int) and isinstance(settings, list):
            sentence = describe_rescue(str(row.get("event")), images, to, [str(one) for one in settings])
            rows[images, str(row.get("level"))] = sentence
    return list(rows.values())


def read_giving_up(run: Path, total_images: int) -> dict[str, Any] | None:
    """The event with which a run of this length gave up; None if it did not."""
    rows = [row for row in read_jsonl(run / EVENTS_FILE) if row.get("event") == "gave_up"]
    return rows[-1] if rows and rows[-1].get("total_images") == total_images else None


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects in a JSON lines file; torn or foreign lines are left out. Empty if the file does not exist."""
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
    """The progress of a run, for `StatusCallback`.

    Arguments:
        images: images seen.
        total_images: length of the run.
        images_per_second: since this process started.
        seconds_left: estimate.
        latest: the last row of `metrics.jsonl`.
        evaluations: all rows of `evaluations.jsonl`.
        notice: a sentence on the last rescue since this process started; empty without one.
    """

    images: int
    total_images: int
    images_per_second: float
    seconds_left: float
    latest: Mapping[str, Any]
    evaluations: Sequence[Mapping[str, Any]] = ()
    notice: str = ""


StatusCallback = Callable[[Status], None]
