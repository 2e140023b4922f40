"""The data sheet: what is in the data, what was left out and why."""

from collections.abc import Mapping
from html import escape
from typing import Any

from sparring.report.page import rows
from sparring.report.values import dig, text
from sparring.wording import counted, grouped


def data(report: Mapping[str, Any]) -> str:
    """The data sheet, from data.json."""
    pairs = [
        (name, text(report[name]))
        for name in ("source", "kind", "count", "fit")
        if report.get(name) is not None
    ]
    for title in ("sizes", "classes", "modes"):
        pairs += [(title, line.partition(":")[2].strip()) for line in histogram(title, report)]
    pairs += [("chosen", text(why)) for why in listed(report.get("why"))]
    if report.get("duplicates"):
        pairs.append(("copies of others", text(report["duplicates"])))
    named = [grouped(title, pairs_of(report.get(title))) for title in ("skipped", "converted")]
    notes = [f"<pre>{escape(chr(10).join(lines))}</pre>" for lines in named if lines]
    return rows(pairs) + "".join(notes)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def histogram(title: str, report: Mapping[str, Any]) -> list[str]:
    """A table of counts in one line."""
    return counted(
        title, {str(name): count for name, count in dig(report, title).items() if isinstance(count, int)}
    )


def pairs_of(value: Any) -> list[tuple[str, str]]:
    """Pairs of name and reason."""
    return [
        (str(pair[0]), str(pair[1])) for pair in listed(value) if isinstance(pair, list) and len(pair) == 2
    ]
