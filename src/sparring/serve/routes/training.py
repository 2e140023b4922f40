"""Training progress, read from the run folder while another process trains: metrics, previews and the doctor's
findings.
"""

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

MAX_PREVIEWS = 60  # sample grids that are listed
PREVIEW_SIZE = 640  # pixels of the longer side
MAX_PREVIEW_BYTES = 2**26  # of a file
MAX_IMAGES = 10**12


async def get_progress(request: Request) -> Response:
    """Images seen, curves by chart, the positions of the previews, and the doctor's diagnosis."""
    parse_query(request)
    context = get_context(request)
    if not context.is_run:
        raise HTTPError(409, "a generator file alone has no training record")

    def job() -> Response:
        history = read_history(context.run)
        diagnosis = diagnose(history)
        document = {
            "images": history.images,
            "total_images": history.total_images,
            "finished": history.is_finished,
            "latest": get_latest_metrics(history.rows),
            "charts": build_charts(history.rows),
            "previews": evenly_spaced([str(images) for images in list_previews(context.run)], MAX_PREVIEWS),
            "doctor": describe_diagnosis(diagnosis),
        }
        return make_json_response(document)

    return await context.io_worker.run(job)


async def get_preview(request: Request) -> Response:
    """The sample grid after `images` images, decoded and encoded again so that no other content of the file is sent."""
    images, context = parse_query(request, "images").integer("images", 0, MAX_IMAGES), get_context(request)

    def job() -> Response:
        names = list_previews(context.run) if context.is_run else {}
        if images not in names:
            raise HTTPError(404, "no samples of that number of images")
        grid, _ = decode(storage.read_head(context.run / SAMPLES_FOLDER / names[images], MAX_PREVIEW_BYTES))
        grid = grid.convert("RGB")
        grid.thumbnail((PREVIEW_SIZE, PREVIEW_SIZE), Image.Resampling.BOX)
        return make_png_response(np.asarray(grid), {"Cache-Control": "private, max-age=60"})

    return await context.io_worker.run(job)


def list_previews(run: Path) -> dict[int, str]:
    """File names of the sample grids, by images seen."""
    folder = run / SAMPLES_FOLDER
    names = [name for name in storage.list_folder(folder) if name.endswith(".png") and name.isascii()]
    names = [name for name in names if not (folder / name).is_symlink()]
    return {int(name[:-4]): name for name in names if name[:-4].isdigit() and len(name) < 20}


def get_latest_metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The numeric values of the last row of metrics.jsonl."""
    last = rows[-1] if rows else {}
    return {str(name)[:80]: value for name, value in last.items() if isinstance(value, int | float)}


def build_charts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The curves of metrics.jsonl, grouped into charts."""
    return [
        {
            "title": title[:80],
            "curves": [{"name": name[:80], "points": downsample(series)} for name, series in each.items()],
        }
        for title, each in group_columns(rows).items()
    ]


def describe_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    """The doctor's diagnosis, without the commands it advises."""
    return {
        "verdict": diagnosis.verdict,
        "summary": diagnosis.summary,
        "findings": [
            {
                "severity": one.severity,
                "title": one.title,
                "message": one.message,
                "advice": [each.message for each in one.advice],
            }
            for one in diagnosis.findings
        ],
        "not_checked": [one.message for one in diagnosis.limitations],
    }
