"""DataReport: the samples that were found, the files that were skipped, and why. Nothing is silently ignored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

FileNotes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What `open_data` found in a source.

    Arguments:
        source: as the user wrote it.
        kind: `folder`, `zip`, `array`, `idx` or `points`.
        count: number of usable samples.
        skipped: (name, reason) of each file that was left out.
        converted: (name, conversion) of each file that needed more than decoding.
        duplicates: samples with the same content as an earlier one; they stay in the dataset.
        sizes, modes, classes: number of samples by original size, by original pixel format, by class.
        size, channels, fit: of the samples of the dataset; None for points.
        why: the choices that were made and the reasons, one sentence each.
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
    why: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)

    def lines(self, limit: int = 10) -> list[str]:
        """The report as lines of text, with at most `limit` names of skipped and of converted files."""
        lines = [f"{self.source}: {self.count:,} samples ({self.kind})"]
        for title, table in (("sizes", self.sizes), ("modes", self.modes), ("classes", self.classes)):
            if table:
                lines.append(f"{title}: {_table_text(table, limit)}")
        lines += list(self.why)
        if self.duplicates:
            lines.append(f"{self.duplicates:,} samples are copies of others")
        for title, notes in (("skipped", self.skipped), ("converted", self.converted)):
            lines += note_lines(title, notes, limit)
        return lines


def _table_text(table: dict[str, int], limit: int) -> str:
    text = ", ".join(f"{printable(name)} x {number:,}" for name, number in list(table.items())[:limit])
    return f"{text} and {len(table) - limit:,} more" if len(table) > limit else text


def note_lines(title: str, notes: FileNotes, limit: int) -> list[str]:
    """Counts by reason on the first line, then the first `limit` names."""
    if not notes:
        return []
    reasons = Counter(reason for _, reason in notes)
    lines = [
        f"{title} {len(notes):,}: "
        + "; ".join(f"{reason} ({number:,})" for reason, number in reasons.most_common(5))
    ]
    lines += [f"  {printable(name)}: {reason}" for name, reason in notes[:limit]]
    return [*lines, f"  and {len(notes) - limit:,} more"] if len(notes) > limit else lines


def histogram(values: Iterable[str]) -> dict[str, int]:
    """Number of occurrences of each value, the most frequent first, ties by name."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def printable(name: str) -> str:
    r"""A file name with line breaks and control characters escaped, safe to print on a terminal.

    >>> print(printable("a\nb.png"))
    a\nb.png
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
