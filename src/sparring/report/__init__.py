"""`report.html`: one page that tells all of a run, without a server, a network or other files.

It is made of what lies in the run folder. What is missing or torn is left out; what is read is escaped.
"""

from pathlib import Path
from typing import Any

from sparring import record, storage
from sparring.doctor import read
from sparring.report import coded, curves, health, page, parts, sheet

NAME = "report.html"


def write(run: Path) -> Path:
    """Write the report of a run.

    Returns:
        Where it is.

    Raises:
        SparringError: the folder holds no run.
    """
    document = record.described(run)
    storage.write_whole(run / NAME, render(run, document).encode("utf-8", "replace"))
    return run / NAME


def render(run: Path, document: dict[str, Any]) -> str:
    """The page."""
    rows, events = record.read(run / record.METRICS), record.read(run / record.EVENTS)
    images = max(
        (int(name) for name in storage.names(run / "checkpoints") if name.isascii() and name.isdigit()),
        default=0,
    )
    sections = [
        ("Samples", parts.samples(run, document)),
        ("Codes and back", coded.coded(run)),
        ("The doctor", health.health(read(run))),
        ("Curves", curves.charts(rows)),
        ("Data", sheet.data(record.table(run / "data.json"))),
        ("Settings", parts.settings(document.get("experiment"))),
        ("Events", parts.events(events)),
        ("Machine", parts.machine(document)),
        ("How to use it", parts.usage(run, document)),
    ]
    name = run.resolve().name
    return page.render(
        name, parts.headline(document, rows, images), [(title, body) for title, body in sections if body]
    )
