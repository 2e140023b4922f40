"""Results as figures in a table. No torch in here."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparring.evaluation.line import Line
from sparring.evaluation.row import Row

SHOWN = {
    "prdc": ("precision", "recall", "density", "coverage"),
    "pcfd": ("mean", "worst"),
    "modes": ("modes", "high_quality", "reverse_kl", "spread"),
}
BASELINES = ("identity", "linear", "truth")
HEAD = ("metric", "value", "95 %", *BASELINES, "floor (real samples)", "train against test")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of the table, with what stands beside it; all in plain text, empty where there is nothing."""

    label: str
    value: str
    interval: str
    floor: str
    beside: str
    costless: tuple[str, ...] = ("", "", "")

    @property
    def cells(self) -> tuple[str, ...]:
        return self.label, self.value, self.interval, *self.costless, self.floor, self.beside


def number(value: float) -> str:
    """A number with four figures.

    >>> number(12.34567), number(1234567.0), number(0.00001234), number(0.5)
    ('12.35', '1,234,567', '1.234e-05', '0.5')
    """
    if value and abs(value) < 1e-3:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def figures(line: Line) -> list[Figure]:
    """The numbers of a result that are shown, one a row."""
    names = [name for name in SHOWN.get(line.protocol.metric, ()) if name in line.values]
    headline = line.protocol.meaning.headline
    found = []
    for name in names or [headline]:
        interval = ""
        if name == headline and line.interval is not None:
            interval = f"{number(line.interval.low)} to {number(line.interval.high)}"
        found.append(
            Figure(
                label=f"{line.name} {name}" if names else line.name,
                value=number(line.values[name]),
                interval=interval,
                floor=_of(line.floor, name),
                beside=_of(line.train_against_test, name),
                costless=tuple(_of(_row(line, one), name) for one in BASELINES),
            )
        )
    return found


def _row(line: Line, name: str) -> Row | None:
    return next((row for row in line.baselines if row.what == name), None)


def _of(row: Row | None, name: str) -> str:
    return number(row.values[name]) if row is not None and name in row.values else ""


def table(lines: Sequence[Line]) -> list[str]:
    """The results as aligned text; columns in which nothing stands are left out."""
    rows = [HEAD, *(figure.cells for line in lines for figure in figures(line))]
    kept = [at for at in range(len(HEAD)) if at == 0 or any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in kept}
    return [
        "  ".join(row[at].ljust(widths[at]) if at == 0 else row[at].rjust(widths[at]) for at in kept).rstrip()
        for row in rows
    ]
