"""The doctor's section of the report."""

import shlex
from html import escape

from sparring.doctor import Diagnosis, Finding, History, diagnose

MARKS = {"bad": "bad", "warning": "warning", "note": "note"}


def health(history: History) -> str:
    """The verdict, the findings, and what to do."""
    diagnosis = diagnose(history)
    body = f"<p>{escape(diagnosis.verdict)}</p>" + "".join(map(told, diagnosis.findings))
    return body + command(diagnosis) + unseen(diagnosis)


def told(finding: Finding) -> str:
    """A finding as a card."""
    parts = [f"<b>{escape(finding.title)}</b>", f'<p class="soft">{escape(finding.words)}</p>']
    if finding.checkpoint is not None:
        parts.append(f'<p class="soft">last good checkpoint: image {finding.checkpoint:,}</p>')
    offers = [f"<li>{escape(advice.words)}{settings(advice.settings)}</li>" for advice in finding.advice]
    tries = f'<p class="soft">to try:</p><ul>{"".join(offers)}</ul>' if offers else ""
    mark = f'<span class="chip">{MARKS[finding.severity]}</span>'
    return f'<figure style="width:auto;margin:.6rem 0">{parts[0]}{mark}{"".join(parts[1:])}{tries}</figure>'


def settings(given: tuple[str, ...]) -> str:
    """Options as code."""
    return "".join(f"<br><code>--set {escape(shlex.quote(one))}</code>" for one in given)


def command(diagnosis: Diagnosis) -> str:
    """The command that takes the advice."""
    if not diagnosis.command:
        return ""
    return f'<p class="soft">the first of these in a new run:</p><pre class="wrap">{escape(diagnosis.command)}</pre>'


def unseen(diagnosis: Diagnosis) -> str:
    """What the record does not tell."""
    if not diagnosis.unseen:
        return ""
    items = [f"<li>{escape(one.words)}{settings(one.settings)}</li>" for one in diagnosis.unseen]
    return (
        f'<details><summary>what could not be seen</summary><ul class="soft">{"".join(items)}</ul></details>'
    )
