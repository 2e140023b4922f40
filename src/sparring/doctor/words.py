"""A diagnosis for the terminal."""

import shlex
import textwrap
from collections.abc import Iterable

from sparring.doctor.diagnosis import Diagnosis
from sparring.doctor.finding import Advice, Finding

MARKS = {"bad": "BAD", "warning": "WARNING", "note": "NOTE"}
INDENT = 9


def lines(diagnosis: Diagnosis, width: int = 100) -> list[str]:
    """All of it."""
    told = [headline(diagnosis), *_wrapped(diagnosis.verdict, width, 0)]
    for finding in diagnosis.findings:
        told += ["", *_of(finding, width)]
    if diagnosis.command:
        told += ["", "To try the first of these in a new run:", f"  {diagnosis.command}"]
    if diagnosis.unseen:
        told += ["", "What could not be seen:"]
        told += [line for one in diagnosis.unseen for line in _advised(one, width, 2, "")]
    return told


def headline(diagnosis: Diagnosis) -> str:
    """Which run, how far, and what is known of it."""
    history = diagnosis.history
    where = "finished" if history.finished else f"at image {history.images:,} of {history.total:,}"
    parts = [f"{history.run}: {where}", f"{history.step:,} steps", f"{len(history.rows):,} reports"]
    return ", ".join([*parts, f"{len(history.vital('diversity')):,} with vital signs"])


def _of(finding: Finding, width: int) -> list[str]:
    first, *rest = _wrapped(finding.title, width, INDENT)
    told = [
        f"{MARKS[finding.severity]:<{INDENT}}{first.strip()}",
        *rest,
        *_wrapped(finding.words, width, INDENT),
    ]
    if finding.checkpoint is not None:
        told += _wrapped(f"last good checkpoint: image {finding.checkpoint:,}", width, INDENT)
    for advice in finding.advice:
        told += _advised(advice, width, INDENT, "try: ")
    return told


def _advised(advice: Advice, width: int, indent: int, before: str) -> Iterable[str]:
    yield from _wrapped(before + advice.words, width, indent)
    if advice.settings:
        space = " " * (indent + (len(before) or 2))
        yield from (f"{space}--set {shlex.quote(one)}" for one in advice.settings)


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
