"""What an evaluation leaves behind for machines and for notes: JSON and Markdown."""

import json
from typing import Any

from sparring import __version__
from sparring.evaluation.figures import HEAD, figures
from sparring.evaluation.line import Line
from sparring.evaluation.wish import Evaluation
from sparring.evaluation.words import circumstances, explained, verdict


def as_json(done: Evaluation) -> dict[str, Any]:
    """All of it as plain JSON; `lines` are read again by `Line.from_json`."""
    return {
        "sparring": __version__,
        "subject": str(done.wish.subject),
        "images": done.images,
        "stopped": done.stopped,
        "notes": done.notes,
        "lines": [line.to_json() for line in done.lines],
    }


def json_bytes(done: Evaluation) -> bytes:
    return json.dumps(as_json(done), allow_nan=False, indent=1).encode()


def markdown(done: Evaluation) -> str:
    """A table, what it says, and how it was measured."""
    head = [f"| {' | '.join(HEAD)} |", f"|---|{'---:|' * (len(HEAD) - 1)}"]
    rows = [
        f"| {' | '.join(_plain(cell) for cell in figure.cells)} |"
        for line in done.lines
        for figure in figures(line)
    ]
    said = [f"- {_plain(verdict(line))} {_plain(explained(line))}" for line in done.lines]
    how = [text for line in done.lines for text in ["", f"**{line.name}**", "", *_listed(line)]]
    notes = ["", "## Notes", "", *(f"- {_plain(note)}" for note in done.notes)] if done.notes else []
    text = [f"# {_plain(title(done))}", "", *head, *rows, "", "## What it says", "", *said, *notes]
    return "\n".join([*text, "", "## How it was measured", *how, ""])


def title(done: Evaluation) -> str:
    """What was judged."""
    at = f" at image {done.images:,}" if done.images is not None else ""
    return f"{done.wish.subject}{at}"


def _listed(line: Line) -> list[str]:
    return [f"- {name}: {_plain(value)}" for name, value in circumstances(line)]


def _plain(text: str) -> str:
    """Text that Markdown takes as it is."""
    for sign in "\\|<>*`[]":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")
