"""The records of a run as the doctor and the report read them.

Missing, torn or foreign lines are left out. No torch in here.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.runs import records

CHECKPOINTS_FOLDER = "checkpoints"  # as in runs/checkpoint.py, which needs torch
Series = list[tuple[int, float]]  # (images seen, value), ascending


@dataclass(frozen=True, kw_only=True)
class History:
    """The records of a run.

    Arguments:
        run: the run folder.
        experiment: the settings, as in run.json.
        document: all of run.json.
        num_train: number of training samples; 0 if unknown.
        is_image: whether samples are images.
        generator_lost_above: the objective's fact of this name, from run.json; None where it has none.
        rows: of metrics.jsonl. events: of events.jsonl. evaluations: of evaluations.jsonl.
        checkpoints: images of the checkpoints that exist, ascending.
    """

    run: Path
    experiment: Mapping[str, Any]
    document: Mapping[str, Any] = field(default_factory=dict)
    num_train: int = 0
    is_image: bool = True
    generator_lost_above: float | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    evaluations: Sequence[Mapping[str, Any]] = ()
    checkpoints: Sequence[int] = ()

    @property
    def images(self) -> int:
        """Images seen at the last report, or at the last checkpoint where there is no report."""
        return int(self.rows[-1]["images"]) if self.rows else max(self.checkpoints, default=0)

    @property
    def total_images(self) -> int:
        """Length of the run in images; 0 if unknown."""
        total = self.setting("training", "total_images")
        return total if isinstance(total, int) else 0

    @property
    def step(self) -> int:
        """Number of steps at the last report."""
        step = self.rows[-1].get("step") if self.rows else 0
        return step if isinstance(step, int) else 0

    @property
    def is_finished(self) -> bool:
        """Whether the last report is the one at the end of the run."""
        return 0 < self.total_images <= self.images

    @property
    def objective(self) -> str:
        """Tag of the game's objective; empty for games without one."""
        return str(self.setting("game", "objective", "type") or "")

    @property
    def has_diagnostics(self) -> bool:
        """Whether the record holds diagnostics (`diag/*`)."""
        return bool(self.diagnostic("diversity"))

    def setting(self, *names: str) -> Any:
        """The setting at this path; None if it does not exist."""
        value: Any = self.experiment
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def series(self, name: str) -> Series:
        """The finite values of a column of metrics.jsonl."""
        return [
            (row["images"], value) for row in self.rows if (value := as_number(row.get(name))) is not None
        ]

    def diagnostic(self, name: str) -> Series:
        """The finite values of the column `diag/<name>`."""
        return self.series(f"diag/{name}")

    def recent_median(self, name: str, count: int = 3) -> float | None:
        """Median of the last `count` values of a column; None if there are fewer."""
        values = [value for _, value in self.series(name)[-count:]]
        return statistics.median(values) if len(values) == count else None

    def last_good_checkpoint(self, since: int | None) -> int | None:
        """The newest checkpoint that is no later than the last report (with diagnostics, if there are any) before `since`."""
        if since is None:
            return None
        rows = [row for row in self.rows if "diag/diversity" in row] if self.has_diagnostics else self.rows
        last_good = max((row["images"] for row in rows if row["images"] < since), default=0)
        return max((images for images in self.checkpoints if 0 < images <= last_good), default=None)

    def up_to(self, images: int) -> "History":
        """The records as they were at that time."""
        return replace(
            self,
            rows=[row for row in self.rows if row["images"] <= images],
            events=[row for row in self.events if _images_of(row) <= images],
            evaluations=[row for row in self.evaluations if _images_of(row) <= images],
            checkpoints=[number for number in self.checkpoints if number <= images],
        )


def as_number(value: Any) -> float | None:
    """A finite number as a float; None for anything else.

    >>> as_number(3), as_number(float("nan")), as_number("3"), as_number(True)
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def _images_of(row: Mapping[str, Any]) -> int:
    images = row.get("images")
    return images if isinstance(images, int) else 0


def trailing_span(series: Series, is_bad: Callable[[float], bool]) -> tuple[int | None, int]:
    """The images at which the trailing run of bad values begins (None if the last value is good), and its length.

    >>> trailing_span([(10, 0.0), (20, 1.0), (30, 0.0), (40, 0.0)], lambda value: value < 0.5)
    (30, 2)
    """
    length = 0
    while length < len(series) and is_bad(series[-1 - length][1]):
        length += 1
    return (series[-length][0], length) if length else (None, 0)


def read_history(run: Path) -> History:
    """Read the records of a run folder.

    Raises:
        SparringError: the folder holds no run.
    """
    document = records.read_run_json(run)
    data, experiment = document.get("data"), document.get("experiment")
    data = data if isinstance(data, dict) else {}
    experiment = experiment if isinstance(experiment, dict) else {}
    settings = experiment.get("data")
    held_out = settings.get("held_out") if isinstance(settings, dict) else 0
    held_out = held_out if isinstance(held_out, int) else 0
    count, shape = data.get("count"), data.get("shape")
    names = storage.list_folder(run / CHECKPOINTS_FOLDER)
    return History(
        run=run,
        experiment=experiment,
        document=document,
        num_train=max(0, count - held_out) if isinstance(count, int) else 0,
        is_image=not isinstance(shape, list) or len(shape) == 3,
        generator_lost_above=_read_fact(document, "generator_lost_above"),
        rows=records.read_metrics(run / records.METRICS_FILE),
        events=records.read_jsonl(run / records.EVENTS_FILE),
        evaluations=records.read_jsonl(run / records.EVALUATIONS_FILE),
        checkpoints=sorted(int(name) for name in names if name.isascii() and name.isdigit()),
    )


def _read_fact(document: Mapping[str, Any], name: str) -> float | None:
    facts = document.get("objective")
    return as_number(facts.get(name)) if isinstance(facts, dict) else None
