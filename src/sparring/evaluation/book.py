"""The results of a run, one line each in `RUN/evaluation/results.jsonl`. (What training measures is in its own record.)"""

import json
from pathlib import Path
from typing import Any

from sparring import record, storage
from sparring.errors import SparringError
from sparring.evaluation.line import Line

FOLDER, NAME = "evaluation", "results.jsonl"


def append(run: Path, line: Line) -> None:
    """Write a result down, with the images that the generator had seen."""
    row: dict[str, Any] = {"images": line.compared.get("images"), **line.to_json()}
    storage.make_folder(run / FOLDER)
    storage.append(run / FOLDER / NAME, json.dumps(row, allow_nan=False))


def lines(run: Path) -> list[Line]:
    """The results that can be read, in the order in which they were written."""
    found = []
    for row in record.read(run / FOLDER / NAME):
        try:
            found.append(Line.from_json(row))
        except SparringError:
            continue
    return found
