"""`report.html`: one page about a run, without a server, a network or other files.

It is made of what lies in the run folder. What is missing or torn is left out; what is read is escaped.
"""

from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.doctor import read_history
from sparring.report import charts, html, run_report
from sparring.report.gallery import Gallery
from sparring.runs import records

REPORT_NAME = "report.html"


def write(run: Path) -> Path:
    """Write the report of a run.

    Returns:
        Where it is.

    Raises:
        SparringError: the folder holds no run.
    """
    document = records.read_run_json(run)
    storage.write_atomic(run / REPORT_NAME, render(run, document).encode("utf-8", "replace"))
    return run / REPORT_NAME


def render(run: Path, document: dict[str, Any]) -> str:
    """The page."""
    rows, events = (
        records.read_jsonl(run / records.METRICS_FILE),
        records.read_jsonl(run / records.EVENTS_FILE),
    )
    images = max(
        (int(name) for name in storage.list_folder(run / "checkpoints") if name.isascii() and name.isdigit()),
        default=0,
    )
    sections = [
        ("Samples", run_report.samples_section(run, document)),
        ("Codes and back", run_report.reconstructions_section(run)),
        ("The doctor", run_report.doctor_section(read_history(run))),
        ("Curves", charts.render_charts(rows)),
        ("Data", run_report.data_section(records.read_json_table(run / "data.json"))),
        ("Settings", run_report.settings_section(document.get("experiment"))),
        ("Events", run_report.events_section(events)),
        ("Machine", run_report.machine_section(document)),
        ("How to use it", run_report.usage_section(run, document)),
    ]
    name = run.resolve().name
    return html.render_page(
        name,
        run_report.header_html(document, rows, images),
        [(title, body) for title, body in sections if body],
    )


__all__ = ["Gallery"]
