"""Training progress, perhaps in another process: metrics, previews and the doctor's findings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring.core import storage
from sparring.data.images.decode import decode
from sparring.doctor import Diagnosis, diagnose
from sparring.doctor.history import read_history
from sparring.inference.sampling import SAMPLES_FOLDER
from sparring.report.charts import downsample, group_columns
from sparring.report.html import evenly_spaced
from sparring.serve.context import get_context, parse_query
from sparring.serve.http import HTTPError, make_json_response, make_png_response

MAX_PREVIEWS = 60  # grids of samples that are shown
PREVIEW_SIZE = 640  # pixels of a grid's longest side
MAX_PREVIEW_BYTES = 2**26  # of its file
MAX_IMAGES = 10**12


async def progress(request: Request) -> Response:
    """How far the run is: curves by chart, the strip's moments, what the doctor says."""
    parse_query(request)
    here = get_context(request)
    if not here.is_run:
        raise HTTPError(409, "a generator file alone has no record")

    def job() -> Response:
        history = read_history(here.run)
        diagnosis = diagnose(history)
        document = {
            "images": history.images,
            "total": history.total_images,
            "finished": history.is_finished,
            "latest": get_latest_metrics(history.rows),
            "charts": build_charts(history.rows),
            "strip": evenly_spaced([str(number) for number in list_previews(here.run)], MAX_PREVIEWS),
            "doctor": describe_diagnosis(diagnosis),
        }
        return make_json_response(document)

    return await here.io_worker.run(job)


async def get_preview(request: Request) -> Response:
    """The grid of samples of one moment, drawn anew from what the file shows."""
    images, here = parse_query(request, "images").integer("images", 0, MAX_IMAGES), get_context(request)

    def job() -> Response:
        names = list_previews(here.run) if here.is_run else {}
        if images not in names:
            raise HTTPError(404, "no samples of that moment")
        found, _ = decode(storage.read_head(here.run / SAMPLES_FOLDER / names[images], MAX_PREVIEW_BYTES))
        found = found.convert("RGB")
        found.thumbnail((PREVIEW_SIZE, PREVIEW_SIZE), Image.Resampling.BOX)
        return make_png_response(np.asarray(found), {"Cache-Control": "private, max-age=60"})

    return await here.io_worker.run(job)


def list_previews(run: Path) -> dict[int, str]:
    """The grids of samples that are there: images seen, and the file's name."""
    folder = run / SAMPLES_FOLDER
    found = [name for name in storage.list_folder(folder) if name.endswith(".png") and name.isascii()]
    names = [name for name in found if not (folder / name).is_symlink()]
    return {int(name[:-4]): name for name in names if name[:-4].isdigit() and len(name) < 20}


def get_latest_metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of the last line of the record."""
    last = rows[-1] if rows else {}
    return {str(name)[:80]: value for name, value in last.items() if isinstance(value, int | float)}


def build_charts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The record's curves, by chart."""
    return [
        {
            "title": title[:80],
            "curves": [{"name": name[:80], "points": downsample(series)} for name, series in each.items()],
        }
        for title, each in group_columns(rows).items()
    ]


def describe_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    """The doctor's words; of paths and commands nothing."""
    return {
        "verdict": diagnosis.verdict,
        "words": diagnosis.summary,
        "findings": [
            {
                "severity": one.severity,
                "title": one.title,
                "words": one.message,
                "advice": [each.message for each in one.advice],
            }
            for one in diagnosis.findings
        ],
        "unseen": [one.message for one in diagnosis.limitations],
    }
