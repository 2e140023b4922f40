"""HTTP parameters, responses and errors: query parameters with a type and a range, PNG responses that browsers
can cache, and JSON.
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
    """An error response.

    Arguments:
        status: HTTP status, 400 to 503.
        message: what was wrong; it never quotes the request.
        headers: additional response headers.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


class BusyError(HTTPError):
    """503: the queue is full."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__(503, "server busy", {"Retry-After": str(seconds)})


def strip_folders(message: str) -> str:
    """Removes folders from the paths in a message, which would tell a client where files are.

    >>> strip_folders("no file /home/me/runs/a.png: 1/2 of it")
    'no file a.png: 1/2 of it'
    """
    return FOLDER_PATTERN.sub("", message)


INTEGER_PATTERN = re.compile(r"[0-9]{1,10}", re.ASCII)
DECIMAL_PATTERN = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,9})?", re.ASCII)
NAME_PATTERN = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
MAX_SEED, MAX_INDEX, MAX_ROWS = 2**31 - 1, 10_000_000, 64
MAX_TERMS, MAX_EDITS = 8, 16
MAX_WEIGHT, MAX_AMOUNT, MAX_COORDINATE = 8.0, 20.0, 8.0  # absolute values
MAX_QUERY_BYTES = 2_000

TermKind = Literal["sample", "upload", "coordinates"]


@dataclass(frozen=True)
class LatentTerm:
    """A latent vector and its weight in a mix.

    Arguments:
        kind: `sample` (that of a seed and index), `upload` (found by inversion of an uploaded image) or `coordinates` (of a
            two-dimensional latent space).
        values: seed and index; the upload's number; the coordinates.
        weight: in the mix.
    """

    kind: TermKind
    values: tuple[float, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class LatentPoint:
    """A point of the latent space: a mix of latents, then steps along directions.

    Arguments:
        terms: 1 or more.
        edits: names of directions, and the step along each in standard deviations.
    """

    terms: tuple[LatentTerm, ...]
    edits: tuple[tuple[str, float], ...] = ()


class Query:
    """The query of a request.

    Arguments:
        query: the raw bytes.
        known: allowed parameters. `digest`, which only distinguishes cache entries, is always allowed.

    Raises:
        HTTPError: an unknown or repeated parameter, or too long a query.
    """

    def __init__(self, query: bytes, known: Sequence[str]) -> None:
        if len(query) > MAX_QUERY_BYTES:
            raise HTTPError(414, "query too long")
        try:
            pairs = parse_qsl(
                query.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=bool(query),
                errors="strict",
                max_num_fields=20,
            )
        except ValueError as error:
            raise HTTPError(400, "malformed query") from error
        self.values = dict(pairs)
        if len(self.values) != len(pairs) or not set(self.values) <= {*known, "digest"}:
            raise HTTPError(400, f"unknown or repeated parameter; known: {', '.join(known)}")

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """An integer from `low` to `high`; required where there is no default."""
        text = self.values.get(name)
        if text is None and default is not None:
            return default
        if text is None or not INTEGER_PATTERN.fullmatch(text) or not low <= int(text) <= high:
            raise HTTPError(400, f"{name}: an integer from {low} to {high}")
        return int(text)

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """An integer from `low` to `high`, or None where it is omitted."""
        return self.integer(name, low, high) if name in self.values else None

    def decimal(self, name: str, low: float, high: float, default: float) -> float:
        """A decimal number from `low` to `high`."""
        return parse_decimal(self.values[name], name, low, high) if name in self.values else default

    def choice(self, name: str, options: Sequence[str]) -> str:
        """One of some words; the first where it is omitted."""
        value = self.values.get(name, options[0])
        if value not in options:
            raise HTTPError(400, f"{name}: one of {', '.join(options)}")
        return value

    def point(self, name: str, edits: str = "") -> LatentPoint:
        """A latent point, as in `s7.12*1,s7.13*-0.5`, and the edits of another parameter, as in `pca-0:1.5`."""
        words = self.values.get(name, "").split(",")
        if not 1 <= len(words) <= MAX_TERMS:
            raise HTTPError(400, f"{name}: 1 to {MAX_TERMS} terms")
        text = self.values.get(edits, "")
        pairs = [parse_edit(word) for word in text.split(",")] if text else []
        if len(pairs) > MAX_EDITS or len(dict(pairs)) != len(pairs):
            raise HTTPError(400, f"{edits}: at most {MAX_EDITS} different directions")
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
    """One term of a mix.

    >>> parse_term("s7.12*-0.5")
    LatentTerm(kind='sample', values=(7, 12), weight=-0.5)
    >>> parse_term("z0.25_-1")
    LatentTerm(kind='coordinates', values=(0.25, -1.0), weight=1.0)
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
        x, _, y = rest.partition("_")
        return LatentTerm(
            "coordinates",
            tuple(parse_decimal(part, "coordinate", -MAX_COORDINATE, MAX_COORDINATE) for part in (x, y)),
            weight,
        )
    raise HTTPError(400, "a term: sSEED.INDEX, uNUMBER or zX_Y, optionally followed by *WEIGHT")


def parse_edit(text: str) -> tuple[str, float]:
    """A direction's name and the step along it.

    >>> parse_edit("pca-0:1.5")
    ('pca-0', 1.5)
    """
    name, _, amount = text.partition(":")
    if not NAME_PATTERN.fullmatch(name):
        raise HTTPError(400, "an edit: NAME:AMOUNT")
    return name, parse_decimal(amount, "amount", -MAX_AMOUNT, MAX_AMOUNT)


CACHE_SECONDS = 3600


def make_etag(request: Request, digest: str) -> str:
    """The ETag of an image: all images are functions of the query and the generator's digest."""
    text = f"{digest} {request.url.path}?{request.url.query}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether the browser sent this ETag: it has the image already."""
    return etag in [one.strip() for one in request.headers.get("if-none-match", "")[:200].split(",")]


def make_cache_headers(request: Request, digest: str, etag: str) -> dict[str, str]:
    """Cache headers: for an hour where the query names this generator by its digest, else with revalidation."""
    names_digest = request.query_params.get("digest") == digest
    return {
        "ETag": etag,
        "Cache-Control": f"private, max-age={CACHE_SECONDS}" if names_digest else "private, no-cache",
    }


def make_png_response(array: np.ndarray, headers: dict[str, str]) -> Response:
    """An image, uint8 (h, w, c), as PNG."""
    return Response(encode_png(to_pil_image(array)), media_type="image/png", headers=headers)


def make_json_response(document: Any, status: int = 200) -> Response:
    """JSON, with null in place of non-finite numbers, which records can contain."""
    return JSONResponse(nan_to_none(document), status)


def nan_to_none(document: Any) -> Any:
    """A copy of a document, with None in place of NaN and infinities.

    >>> nan_to_none({"a": [1.5, float("nan")]})
    {'a': [1.5, None]}
    """
    if isinstance(document, dict):
        return {name: nan_to_none(value) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [nan_to_none(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document
