"""`report.html`: one page about a run that needs no server, no network and no other files.

It is made of the files in the run folder. Missing or damaged ones are left out; all that is read is escaped.
"""

from pathlib import Path

from sparring.core import storage
from sparring.doctor import read_history
from sparring.doctor.history import History
from sparring.report import charts, html, run_report
from sparring.report.gallery import Gallery
from sparring.runs import records

REPORT_NAME = "report.html"


def write(run: Path) -> Path:
    """Write the report of a run.

    Returns:
        The path of the page.

    Raises:
        SparringError: the folder holds no run.
        OSError: the page can't be written.
    """
    page = run / REPORT_NAME
    storage.write_atomic(page, render(read_history(run)).encode("utf-8", "replace"))
    return page


def render(history: History) -> str:
    """The report as HTML."""
    run, document = history.run, history.document
    sections = [
        ("Samples", run_report.samples_section(run, document)),
        ("Reconstructions", run_report.reconstructions_section(run)),
        ("Diagnosis", run_report.doctor_section(history)),
        ("Curves", charts.render_charts(history.rows)),
        ("Data", run_report.data_section(records.read_json_table(run / "data.json"))),
        ("Settings", run_report.settings_section(history.experiment)),
        ("Events", run_report.events_section(history.events)),
        ("Machine", run_report.machine_section(document)),
        ("How to use it", run_report.usage_section(run, document)),
    ]
    header = run_report.header_html(history)
    return html.render_page(run.resolve().name, header, [(title, body) for title, body in sections if body])


__all__ = ["REPORT_NAME", "Gallery", "render", "write"]
