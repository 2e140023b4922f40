"""DataReport: what was found in the data, what was skipped, and why. Nothing is silently ignored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

FileNotes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What one `open_data` found.

    Arguments:
        source: as the user wrote it.
        kind: `folder`, `zip`, `array`, `idx` or `points`.
        count: samples that can be used.
        skipped: (name, reason) of what was left out.
        converted: (name, what) of what needed more than decoding.
        duplicates: samples whose content another one has already; they are kept.
        sizes, modes, classes: how many samples by size as found, by pixel format as found, by class.
        size, channels, fit: of the samples as they are dealt; None for points.
        why: the choices that were made, in words.
    """

    source: str
    kind: str
    count: int
    skipped: FileNotes = ()
    converted: FileNotes = ()
    duplicates: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: str | None = None
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)

    def lines(self, limit: int = 10) -> list[str]:
        """The report for people; at most `limit` names of skipped and converted files each."""
        lines = [f"{self.source}: {self.count:,} samples ({self.kind})"]
        for title, table in (("sizes", self.sizes), ("modes", self.modes), ("classes", self.classes)):
            if table:
                lines.append(f"{title}: {_table_text(table, limit)}")
        lines += list(self.remarks)
        if self.duplicates:
            lines.append(f"{self.duplicates:,} samples are copies of others")
        for title, named in (("skipped", self.skipped), ("converted", self.converted)):
            lines += note_lines(title, named, limit)
        return lines


def _table_text(table: dict[str, int], limit: int) -> str:
    text = ", ".join(f"{printable(name)} x {number:,}" for name, number in list(table.items())[:limit])
    return f"{text} and {len(table) - limit:,} more" if len(table) > limit else text


def note_lines(title: str, named: FileNotes, limit: int) -> list[str]:
    """How many by reason, then the first names."""
    if not named:
        return []
    reasons = Counter(reason for _, reason in named)
    lines = [
        f"{title} {len(named):,}: "
        + "; ".join(f"{reason} ({number:,})" for reason, number in reasons.most_common(5))
    ]
    lines += [f"  {printable(name)}: {reason}" for name, reason in named[:limit]]
    return [*lines, f"  and {len(named) - limit:,} more"] if len(named) > limit else lines


def histogram(values: Iterable[str]) -> dict[str, int]:
    """How often each value comes, the most frequent first, ties by name."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def printable(name: str) -> str:
    r"""A name that can't break the line or the terminal.

    >>> print(printable("a\nb.png"))
    a\nb.png
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
