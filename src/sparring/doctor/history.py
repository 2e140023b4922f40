"""The records of a run as the doctor reads them; missing, torn or foreign lines are left out. No torch in
here.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.runs import records

EVALUATIONS = "evaluations.jsonl"
Series = list[tuple[int, float]]  # (images, value), in the order of time


@dataclass(frozen=True, kw_only=True)
class History:
    """What is known of a run.

    Arguments:
        run: its folder.
        experiment: the settings, as in run.json.
        count: samples that are trained on; 0 where that is unknown.
        images: whether these are images.
        rows: of metrics.jsonl. events: of events.jsonl. evaluations: of evaluations.jsonl.
        checkpoints: that are on the disk, in images, ascending.
        generator_lost_above: the objective's fact of this name, from run.json; None where it has none.
    """

    run: Path
    experiment: Mapping[str, Any]
    count: int = 0
    is_image: bool = True
    rows: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    evaluations: Sequence[Mapping[str, Any]] = ()
    checkpoints: Sequence[int] = ()
    generator_lost_above: float | None = None

    @property
    def images(self) -> int:
        """How far the record reaches."""
        return int(self.rows[-1]["images"]) if self.rows else max(self.checkpoints, default=0)

    @property
    def total(self) -> int:
        total = self.setting("training", "total_images")
        return total if isinstance(total, int) else 0

    @property
    def step(self) -> int:
        """Steps played."""
        found = self.rows[-1].get("step") if self.rows else 0
        return found if isinstance(found, int) else 0

    @property
    def is_finished(self) -> bool:
        return 0 < self.total <= self.images

    @property
    def objective(self) -> str:
        """The tag of the game's objective; empty for games without one."""
        return str(self.setting("game", "objective", "type") or "")

    @property
    def has_diagnostics(self) -> bool:
        """Whether there are vital signs."""
        return bool(self.diagnostic("diversity"))

    def setting(self, *names: str) -> Any:
        """A value of the settings; None where there is none."""
        place: Any = self.experiment
        for name in names:
            place = place.get(name) if isinstance(place, Mapping) else None
        return place

    def series(self, name: str) -> Series:
        """A column of the record."""
        return [
            (row["images"], value) for row in self.rows if (value := as_number(row.get(name))) is not None
        ]

    def diagnostic(self, name: str) -> Series:
        return self.series(f"vitals/{name}")

    def recent_median(self, name: str, count: int = 3) -> float | None:
        """The median of a column's last values; None where there are not so many."""
        values = [value for _, value in self.series(name)[-count:]]
        return statistics.median(values) if len(values) == count else None

    def last_good_checkpoint(self, since: int | None) -> int | None:
        """The newest checkpoint from before; of that time, or earlier, is the last report in which all was well."""
        if since is None:
            return None
        looked = [row for row in self.rows if "diag/diversity" in row] if self.has_diagnostics else self.rows
        well = max((row["images"] for row in looked if row["images"] < since), default=0)
        return max((images for images in self.checkpoints if 0 < images <= well), default=None)

    def up_to(self, images: int) -> "History":
        """What was known at that time."""
        return replace(
            self,
            rows=[row for row in self.rows if row["images"] <= images],
            events=[row for row in self.events if _images_of(row) <= images],
            evaluations=[row for row in self.evaluations if _images_of(row) <= images],
            checkpoints=[number for number in self.checkpoints if number <= images],
        )


def as_number(value: Any) -> float | None:
    """A finite number as such; None for anything else that a record may hold.

    >>> as_number(3), as_number(float("nan")), as_number("3"), as_number(True)
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def _images_of(row: Mapping[str, Any]) -> int:
    found = row.get("images")
    return found if isinstance(found, int) else 0


def trailing_span(series: Series, bad: Callable[[float], bool]) -> tuple[int | None, int]:
    """Since when the last values are all bad, and how many they are.

    >>> trailing_span([(10, 0.0), (20, 1.0), (30, 0.0), (40, 0.0)], lambda value: value < 0.5)
    (30, 2)
    """
    length = 0
    while length < len(series) and bad(series[-1 - length][1]):
        length += 1
    return (series[-length][0], length) if length else (None, 0)


def read_history(run: Path) -> History:
    """The history of a run.

    Raises:
        SparringError: the folder holds no run.
    """
    document = records.read_run_json(run)
    data = document.get("data")
    data = data if isinstance(data, dict) else {}
    experiment, count, shape = document.get("experiment"), data.get("count"), data.get("shape")
    settings = experiment.get("data") if isinstance(experiment, dict) else None
    held = settings.get("held_out") if isinstance(settings, dict) else 0
    held = held if isinstance(held, int) else 0
    names = [name for name in storage.list_folder(run / "checkpoints") if name.isascii() and name.isdigit()]
    return History(
        run=run,
        experiment=experiment if isinstance(experiment, dict) else {},
        count=max(0, count - held) if isinstance(count, int) else 0,
        is_image=not isinstance(shape, list) or len(shape) == 3,
        rows=records.read_metrics(run / records.METRICS_FILE),
        events=records.read_jsonl(run / records.EVENTS_FILE),
        evaluations=records.read_jsonl(run / EVALUATIONS),
        checkpoints=sorted(map(int, names)),
        generator_lost_above=_read_fact(document, "generator_lost_above"),
    )


def _read_fact(document: Mapping[str, Any], name: str) -> float | None:
    facts = document.get("objective")
    return as_number(facts.get(name)) if isinstance(facts, dict) else None
