"""Answers: pictures as PNG that browsers may keep, and JSON."""

import hashlib
import math
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sparring.samples import picture_of, png

KEEP_SECONDS = 3600


def tag(request: Request, digest: str) -> str:
    """The ETag of what this query gives from this generator: all pictures are functions of these two."""
    text = f"{digest} {request.url.path}?{request.url.query}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def unchanged(request: Request, etag: str) -> bool:
    """Whether the browser has this already."""
    return etag in [one.strip() for one in request.headers.get("if-none-match", "")[:200].split(",")]


def caching(request: Request, digest: str, etag: str) -> dict[str, str]:
    """What the browser may keep: where it named the generator (`v`), for an hour; else it asks again."""
    named = request.query_params.get("v") == digest
    return {
        "ETag": etag,
        "Cache-Control": f"private, max-age={KEEP_SECONDS}" if named else "private, no-cache",
    }


def picture(array: np.ndarray, headers: dict[str, str]) -> Response:
    """A uint8 array (h, w, c) as PNG."""
    return Response(png(picture_of(array)), media_type="image/png", headers=headers)


def plain(document: Any, status: int = 200) -> Response:
    """JSON, in which numbers that are none (of a stranger's record) are null."""
    return JSONResponse(finite(document), status)


def finite(document: Any) -> Any:
    """The same, with None in place of NaN and infinities.

    >>> finite({"a": [1.5, float("nan")]})
    {'a': [1.5, None]}
    """
    if isinstance(document, dict):
        return {name: finite(value) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [finite(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document
