"""The parameters of a request: a fixed set of names, each with a kind and a range. All else is refused with 400."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

from sparring.serve.refused import Refused

WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
DECIMAL = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,9})?", re.ASCII)
NAME = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
SEED, INDEX, ROWS = 2**31 - 1, 10_000_000, 64
TERMS, EDITS = 8, 16
WEIGHT, AMOUNT, PLACE = 8.0, 20.0, 8.0  # largest of each
QUERY_BYTES = 2_000

Kind = Literal["sample", "upload", "place"]


@dataclass(frozen=True)
class Term:
    """A point of the latent space, and its weight in a mix.

    Arguments:
        kind: `sample` (seed and number), `upload` (what was found for an uploaded picture) or `place` (two coordinates).
        values: seed and number; the upload's number; the coordinates.
        weight: of the point.
    """

    kind: Kind
    values: tuple[float, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Point:
    """Where a picture comes from: a mix of points, then steps along directions.

    Arguments:
        terms: 1 or more.
        edits: number of a direction and how far to go along it, in standard deviations.
    """

    terms: tuple[Term, ...]
    edits: tuple[tuple[str, float], ...] = ()


class Asked:
    """The query of a request.

    Arguments:
        query: as it came.
        known: names that may be in it; `v`, which only tells caches apart, always may.

    Raises:
        Refused: an unknown name, one that comes twice, or too long a query.
    """

    def __init__(self, query: bytes, known: Sequence[str]) -> None:
        if len(query) > QUERY_BYTES:
            raise Refused(414, "too long a query")
        try:
            pairs = parse_qsl(
                query.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=bool(query),
                errors="strict",
                max_num_fields=20,
            )
        except ValueError as error:
            raise Refused(400, "a query that can't be read") from error
        self.values = dict(pairs)
        if len(self.values) != len(pairs) or not set(self.values) <= {*known, "v"}:
            raise Refused(400, f"a name that is not asked for, or one twice; known: {', '.join(known)}")

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        text = self.values.get(name)
        if text is None and default is not None:
            return default
        if text is None or not WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise Refused(400, f"{name}: a whole number from {low} to {high}")
        return int(text)

    def maybe(self, name: str, low: int, high: int) -> int | None:
        """A whole number, or None where it is left out."""
        return self.whole(name, low, high) if name in self.values else None

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A decimal number."""
        return decimal(self.values[name], name, low, high) if name in self.values else default

    def choice(self, name: str, options: Sequence[str]) -> str:
        """One of some words, the first where it is left out."""
        found = self.values.get(name, options[0])
        if found not in options:
            raise Refused(400, f"{name}: one of {', '.join(options)}")
        return found

    def point(self, name: str, edits: str = "") -> Point:
        """A point, as in `s7.12*1,s7.13*-0.5`, and the edits of another parameter, as in `pca-0:1.5`."""
        words = self.values.get(name, "").split(",")
        if not 1 <= len(words) <= TERMS:
            raise Refused(400, f"{name}: 1 to {TERMS} points")
        changes = self.values.get(edits, "")
        pairs = [edit(word) for word in changes.split(",")] if changes else []
        if len(pairs) > EDITS or len(dict(pairs)) != len(pairs):
            raise Refused(400, f"{edits}: at most {EDITS} directions, each once")
        return Point(tuple(term(word) for word in words), tuple(pairs))


def decimal(text: str, name: str, low: float, high: float) -> float:
    """A decimal number from `low` to `high`; no exponent, no infinity, no NaN.

    >>> decimal("-0.5", "x", -1, 1)
    -0.5
    """
    if not DECIMAL.fullmatch(text) or not low <= float(text) <= high:
        raise Refused(400, f"{name}: a decimal number from {low:g} to {high:g}")
    return float(text)


def term(text: str) -> Term:
    """One point of a mix.

    >>> term("s7.12*-0.5")
    Term(kind='sample', values=(7, 12), weight=-0.5)
    >>> term("z0.25_-1")
    Term(kind='place', values=(0.25, -1.0), weight=1.0)
    """
    head, star, tail = text.partition("*")
    weight = decimal(tail, "weight", -WEIGHT, WEIGHT) if star else 1.0
    kind, rest = head[:1], head[1:]
    if kind == "s":
        seed, _, index = rest.partition(".")
        if WHOLE.fullmatch(seed) and WHOLE.fullmatch(index) and int(seed) <= SEED and int(index) <= INDEX:
            return Term("sample", (int(seed), int(index)), weight)
    if kind == "u" and WHOLE.fullmatch(rest):
        return Term("upload", (int(rest),), weight)
    if kind == "z":
        across, _, down = rest.partition("_")
        return Term("place", tuple(decimal(part, "place", -PLACE, PLACE) for part in (across, down)), weight)
    raise Refused(400, "a point: sSEED.NUMBER, uNUMBER or zX_Y, with *WEIGHT behind it or not")


def edit(text: str) -> tuple[str, float]:
    """One step along a direction.

    >>> edit("pca-0:1.5")
    ('pca-0', 1.5)
    """
    name, _, amount = text.partition(":")
    if not NAME.fullmatch(name):
        raise Refused(400, "an edit: NAME:AMOUNT")
    return name, decimal(amount, "amount", -AMOUNT, AMOUNT)
