"""A run as it is trained, perhaps in another process: its record, the growing strip of samples, the doctor's words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring import storage
from sparring.data.decode import decode
from sparring.doctor import Diagnosis, diagnose
from sparring.doctor.history import read as read_history
from sparring.report.curves import grouped, thinned
from sparring.report.pictures import evenly
from sparring.samples import FOLDER
from sparring.serve.answers import picture, plain
from sparring.serve.context import asked, context
from sparring.serve.refused import Refused

STRIP = 60  # grids of samples that are shown
SHEET = 640  # pixels of a grid's longest side
SHEET_BYTES = 2**26  # of its file
IMAGES = 10**12


async def progress(request: Request) -> Response:
    """How far the run is: curves by chart, the strip's moments, what the doctor says."""
    asked(request)
    here = context(request)
    if not here.is_run:
        raise Refused(409, "a generator file alone has no record")

    def job() -> Response:
        history = read_history(here.run)
        diagnosis = diagnose(history)
        document = {
            "images": history.images,
            "total": history.total,
            "finished": history.finished,
            "latest": latest(history.rows),
            "charts": charts(history.rows),
            "strip": evenly([str(number) for number in moments(here.run)], STRIP),
            "doctor": said(diagnosis),
        }
        return plain(document)

    return await here.reading.run(job)


async def sheet(request: Request) -> Response:
    """The grid of samples of one moment, drawn anew from what the file shows."""
    images, here = asked(request, "images").whole("images", 0, IMAGES), context(request)

    def job() -> Response:
        names = moments(here.run) if here.is_run else {}
        if images not in names:
            raise Refused(404, "no samples of that moment")
        found, _ = decode(storage.head(here.run / FOLDER / names[images], SHEET_BYTES))
        found = found.convert("RGB")
        found.thumbnail((SHEET, SHEET), Image.Resampling.BOX)
        return picture(np.asarray(found), {"Cache-Control": "private, max-age=60"})

    return await here.reading.run(job)


def moments(run: Path) -> dict[int, str]:
    """The grids of samples that are there: images seen, and the file's name."""
    folder = run / FOLDER
    found = [name for name in storage.names(folder) if name.endswith(".png") and name.isascii()]
    names = [name for name in found if not (folder / name).is_symlink()]
    return {int(name[:-4]): name for name in names if name[:-4].isdigit() and len(name) < 20}


def latest(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of the last line of the record."""
    last = rows[-1] if rows else {}
    return {str(name)[:80]: value for name, value in last.items() if isinstance(value, int | float)}


def charts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The record's curves, by chart."""
    return [
        {
            "title": title[:80],
            "curves": [{"name": name[:80], "points": thinned(series)} for name, series in each.items()],
        }
        for title, each in grouped(rows).items()
    ]


def said(diagnosis: Diagnosis) -> dict[str, Any]:
    """The doctor's words; of paths and commands nothing."""
    return {
        "verdict": diagnosis.worst,
        "words": diagnosis.verdict,
        "findings": [
            {
                "severity": one.severity,
                "title": one.title,
                "words": one.words,
                "advice": [each.words for each in one.advice],
            }
            for one in diagnosis.findings
        ],
        "unseen": [one.words for one in diagnosis.unseen],
    }
