"""The results of a run, one line each in `RUN/evaluations.jsonl`."""

import json
from pathlib import Path
from typing import Any

from sparring import record, storage
from sparring.errors import SparringError
from sparring.evaluation.line import Line

NAME = "evaluations.jsonl"


def append(run: Path, line: Line) -> None:
    """Write a result down, with the images that the generator had seen."""
    row: dict[str, Any] = {"images": line.compared.get("images"), **line.to_json()}
    storage.append(run / NAME, json.dumps(row, allow_nan=False))


def lines(run: Path) -> list[Line]:
    """The results that can be read, in the order in which they were written."""
    found = []
    for row in record.read(run / NAME):
        try:
            found.append(Line.from_json(row))
        except SparringError:
            continue
    return found
