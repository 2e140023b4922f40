"""HTTP parameters, responses and errors: a fixed set of parameter names, each with a type and a range; PNG
that browsers may cache, and JSON.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sparring.data.image_grid import encode_png, to_pil_image

FOLDER_PATTERN = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")


class HTTPError(Exception):
    """A request that is not answered.

    Arguments:
        status: of HTTP, 400 to 503.
        words: what was wrong; nothing of the request is repeated in it.
        headers: to send along.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


class BusyError(HTTPError):
    """The queue is full."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__(503, "too much to do at once", {"Retry-After": str(seconds)})


def strip_folders(message: str) -> str:
    """What is said of files, by their names alone: where they lie is nobody else's business.

    >>> strip_folders("no file /home/me/runs/a.png: 1/2 of it")
    'no file a.png: 1/2 of it'
    """
    return FOLDER_PATTERN.sub("", message)


INTEGER_PATTERN = re.compile(r"[0-9]{1,10}", re.ASCII)
DECIMAL_PATTERN = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,9})?", re.ASCII)
NAME_PATTERN = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
MAX_SEED, MAX_INDEX, MAX_ROWS = 2**31 - 1, 10_000_000, 64
MAX_TERMS, MAX_EDITS = 8, 16
MAX_WEIGHT, MAX_AMOUNT, MAX_COORDINATE = 8.0, 20.0, 8.0  # largest of each
MAX_QUERY_BYTES = 2_000

TermKind = Literal["sample", "upload", "place"]


@dataclass(frozen=True)
class LatentTerm:
    """A point of the latent space, and its weight in a mix.

    Arguments:
        kind: `sample` (seed and number), `upload` (what was found for an uploaded image) or `place` (two coordinates).
        values: seed and number; the upload's number; the coordinates.
        weight: of the point.
    """

    kind: TermKind
    values: tuple[float, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class LatentPoint:
    """Where a image comes from: a mix of points, then steps along directions.

    Arguments:
        terms: 1 or more.
        edits: number of a direction and how far to go along it, in standard deviations.
    """

    terms: tuple[LatentTerm, ...]
    edits: tuple[tuple[str, float], ...] = ()


class Query:
    """The query of a request.

    Arguments:
        query: as it came.
        known: names that may be in it; `v`, which only tells caches apart, always may.

    Raises:
        Refused: an unknown name, one that comes twice, or too long a query.
    """

    def __init__(self, query: bytes, known: Sequence[str]) -> None:
        if len(query) > MAX_QUERY_BYTES:
            raise HTTPError(414, "too long a query")
        try:
            pairs = parse_qsl(
                query.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=bool(query),
                errors="strict",
                max_num_fields=20,
            )
        except ValueError as error:
            raise HTTPError(400, "a query that can't be read") from error
        self.values = dict(pairs)
        if len(self.values) != len(pairs) or not set(self.values) <= {*known, "v"}:
            raise HTTPError(400, f"a name that is not asked for, or one twice; known: {', '.join(known)}")

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        text = self.values.get(name)
        if text is None and default is not None:
            return default
        if text is None or not INTEGER_PATTERN.fullmatch(text) or not low <= int(text) <= high:
            raise HTTPError(400, f"{name}: a whole number from {low} to {high}")
        return int(text)

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """A whole number, or None where it is left out."""
        return self.integer(name, low, high) if name in self.values else None

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A decimal number."""
        return parse_decimal(self.values[name], name, low, high) if name in self.values else default

    def choice(self, name: str, options: Sequence[str]) -> str:
        """One of some words, the first where it is left out."""
        found = self.values.get(name, options[0])
        if found not in options:
            raise HTTPError(400, f"{name}: one of {', '.join(options)}")
        return found

    def point(self, name: str, edits: str = "") -> LatentPoint:
        """A point, as in `s7.12*1,s7.13*-0.5`, and the edits of another parameter, as in `pca-0:1.5`."""
        words = self.values.get(name, "").split(",")
        if not 1 <= len(words) <= MAX_TERMS:
            raise HTTPError(400, f"{name}: 1 to {MAX_TERMS} points")
        changes = self.values.get(edits, "")
        pairs = [parse_edit(word) for word in changes.split(",")] if changes else []
        if len(pairs) > MAX_EDITS or len(dict(pairs)) != len(pairs):
            raise HTTPError(400, f"{edits}: at most {MAX_EDITS} directions, each once")
        return LatentPoint(tuple(parse_term(word) for word in words), tuple(pairs))


def parse_decimal(text: str, name: str, low: float, high: float) -> float:
    """A decimal number from `low` to `high`; no exponent, no infinity, no NaN.

    >>> parse_decimal("-0.5", "x", -1, 1)
    -0.5
    """
    if not DECIMAL_PATTERN.fullmatch(text) or not low <= float(text) <= high:
        raise HTTPError(400, f"{name}: a decimal number from {low:g} to {high:g}")
    return float(text)


def parse_term(text: str) -> LatentTerm:
    """One point of a mix.

    >>> parse_term("s7.12*-0.5")
    Term(kind='sample', values=(7, 12), weight=-0.5)
    >>> parse_term("z0.25_-1")
    Term(kind='place', values=(0.25, -1.0), weight=1.0)
    """
    head, star, tail = text.partition("*")
    weight = parse_decimal(tail, "weight", -MAX_WEIGHT, MAX_WEIGHT) if star else 1.0
    kind, rest = head[:1], head[1:]
    if kind == "s":
        seed, _, index = rest.partition(".")
        if (
            INTEGER_PATTERN.fullmatch(seed)
            and INTEGER_PATTERN.fullmatch(index)
            and int(seed) <= MAX_SEED
            and int(index) <= MAX_INDEX
        ):
            return LatentTerm("sample", (int(seed), int(index)), weight)
    if kind == "u" and INTEGER_PATTERN.fullmatch(rest):
        return LatentTerm("upload", (int(rest),), weight)
    if kind == "z":
        across, _, down = rest.partition("_")
        return LatentTerm(
            "place",
            tuple(parse_decimal(part, "place", -MAX_COORDINATE, MAX_COORDINATE) for part in (across, down)),
            weight,
        )
    raise HTTPError(400, "a point: sSEED.NUMBER, uNUMBER or zX_Y, with *WEIGHT behind it or not")


def parse_edit(text: str) -> tuple[str, float]:
    """One step along a direction.

    >>> parse_edit("pca-0:1.5")
    ('pca-0', 1.5)
    """
    name, _, amount = text.partition(":")
    if not NAME_PATTERN.fullmatch(name):
        raise HTTPError(400, "an edit: NAME:AMOUNT")
    return name, parse_decimal(amount, "amount", -MAX_AMOUNT, MAX_AMOUNT)


CACHE_SECONDS = 3600


def make_etag(request: Request, digest: str) -> str:
    """The ETag of what this query gives from this generator: all images are functions of these two."""
    text = f"{digest} {request.url.path}?{request.url.query}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether the browser has this already."""
    return etag in [one.strip() for one in request.headers.get("if-none-match", "")[:200].split(",")]


def make_cache_headers(request: Request, digest: str, etag: str) -> dict[str, str]:
    """What the browser may keep: where it named the generator (`v`), for an hour; else it asks again."""
    named = request.query_params.get("v") == digest
    return {
        "ETag": etag,
        "Cache-Control": f"private, max-age={CACHE_SECONDS}" if named else "private, no-cache",
    }


def make_png_response(array: np.ndarray, headers: dict[str, str]) -> Response:
    """A uint8 array (h, w, c) as PNG."""
    return Response(encode_png(to_pil_image(array)), media_type="image/png", headers=headers)


def make_json_response(document: Any, status: int = 200) -> Response:
    """JSON, in which numbers that are none (of a stranger's record) are null."""
    return JSONResponse(nan_to_none(document), status)


def nan_to_none(document: Any) -> Any:
    """The same, with None in place of NaN and infinities.

    >>> nan_to_none({"a": [1.5, float("nan")]})
    {'a': [1.5, None]}
    """
    if isinstance(document, dict):
        return {name: nan_to_none(value) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [nan_to_none(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document
