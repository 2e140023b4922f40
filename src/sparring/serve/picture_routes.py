"""Pictures that are drawn for a request: the wall, one picture, walks, the map; of points their coordinates."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import torch
from starlette.requests import Request
from starlette.responses import Response

from sparring.data import to_output
from sparring.latent.paths import interpolate
from sparring.samples import draw
from sparring.serve.answers import caching, picture, plain, tag, unchanged
from sparring.serve.asked import INDEX, ROWS, SEED, Asked, Point, Term
from sparring.serve.context import asked, context
from sparring.serve.model import Model
from sparring.serve.refused import Refused
from sparring.serve.shown import Shown, Wanted, strip

CLASSES = 100_000
TRUNCATION = 2.0
STEPS, SIDE = 24, 20  # of a walk, of a map
PIXELS = 4_000_000  # of an answer
LOOK = ("label", "towards", "share", "truncation")
POINTS = 4_000


async def wall(request: Request) -> Response:
    """Samples `start` to `start + n` of a seed, below each other: the same pixels as `sparring sample --seed`."""
    query = asked(request, "seed", "start", "n", *LOOK)
    seed, start = query.whole("seed", 0, SEED, 0), query.whole("start", 0, INDEX, 0)
    count, truncation = query.whole("n", 1, ROWS, 32), truncation_of(query)
    wanted, model = wanted_of(query), context(request).model

    def make(shown: Shown) -> np.ndarray:
        _fits(shown, count)
        indices = range(start, start + count)
        label = None
        if wanted != Wanted():
            points = [Point((Term("sample", (seed, index)),)) for index in indices]
            labels = [model.label(point, wanted) for point in points]
            label = torch.cat([each for each in labels if each is not None])
        if label is not None and label.is_floating_point():
            parts = [model.latent(point, truncation) for point in points]
            return strip(model.draw(torch.stack(parts), label))
        made = shown.generation.sample(seed, indices, label, truncation)
        return strip(_output(shown, made))

    return await drawn(request, make)


async def one(request: Request) -> Response:
    """One picture: a mix of points, with edits."""
    query = asked(request, "at", "edit", *LOOK)
    point, wanted, truncation = query.point("at", "edit"), wanted_of(query), truncation_of(query)
    model = context(request).model

    def make(shown: Shown) -> np.ndarray:
        _fits(shown, 1)
        label = model.label(point, wanted)
        return np.asarray(model.draw(model.latent(point, truncation)[None], label)[0])

    return await drawn(request, make)


async def walk(request: Request) -> Response:
    """A walk from one point to another, below each other."""
    query = asked(request, "at", "edit", "to", "toedit", "steps", "kind", *LOOK)
    ends = query.point("at", "edit"), query.point("to", "toedit")
    steps, kind = query.whole("steps", 2, STEPS, 9), query.choice("kind", ("spherical", "linear"))
    wanted, truncation = wanted_of(query), truncation_of(query)
    model = context(request).model

    def make(shown: Shown) -> np.ndarray:
        _fits(shown, steps)
        first, last = (model.latent(point, truncation) for point in ends)
        label = model.label(ends[0], wanted)
        labels = None if label is None else label.expand(steps, *label.shape[1:])
        between = interpolate(first, last, steps, "linear" if kind == "linear" else "spherical")
        return strip(model.draw(between, labels))

    return await drawn(request, make)


async def chart(request: Request) -> Response:
    """The map of a latent space of two dimensions: at equal shares of the prior, row by row, from the upper left."""
    query = asked(request, "n", *LOOK)
    side, wanted = query.whole("n", 2, SIDE, 12), wanted_of(query)
    model = context(request).model

    def make(shown: Shown) -> np.ndarray:
        _fits(shown, side * side)
        if shown.generation.latent != 2:
            raise Refused(409, "a map needs a latent space of two dimensions")
        places = [NormalDist().inv_cdf((at + 0.5) / side) for at in range(side)]
        grid = torch.tensor([[across, down] for down in reversed(places) for across in places])
        label = model.label(Point((Term("place", (0.0, 0.0)),)), wanted)
        labels = None if label is None else label.expand(len(grid), *label.shape[1:])
        return strip(model.draw(grid, labels))

    return await drawn(request, make)


async def points(request: Request) -> Response:
    """Generated points, of a run on points: their coordinates in the data's units."""
    query = asked(request, "seed", "n", "label", "truncation")
    seed, count = query.whole("seed", 0, SEED, 0), query.whole("n", 1, POINTS, 1000)
    label, truncation = query.maybe("label", 0, CLASSES), truncation_of(query)

    def job() -> Response:
        shown = context(request).model.shown()
        if shown.generation.spec.is_image:
            raise Refused(409, "this run makes pictures")
        given = None if label is None else torch.full((count,), label)
        made = draw(shown.generation, shown.loaded.facts, count, seed, labels=given, truncation=truncation)
        return plain({"points": np.nan_to_num(made[:, :2]).round(4).tolist(), "digest": shown.digest})

    return await context(request).drawing.run(job)


async def drawn(request: Request, make: Callable[[Shown], np.ndarray]) -> Response:
    """A picture made in the worker's thread, unless the browser has it."""
    model: Model = context(request).model

    def job() -> Response:
        shown = model.shown()
        etag = tag(request, shown.digest)
        headers = caching(request, shown.digest, etag)
        return (
            Response(status_code=304, headers=headers)
            if unchanged(request, etag)
            else picture(make(shown), headers)
        )

    return await context(request).drawing.run(job)


def _output(shown: Shown, made: torch.Tensor) -> np.ndarray:
    return to_output(made, shown.generation.spec, shown.loaded.facts["units"])


def wanted_of(query: Asked) -> Wanted:
    label, towards = query.maybe("label", 0, CLASSES), query.maybe("towards", 0, CLASSES)
    return Wanted(label=label, towards=towards, share=query.number("share", 0, 1, 0.0))


def truncation_of(query: Asked) -> float:
    return query.number("truncation", 0, TRUNCATION, 1.0)


def _fits(shown: Shown, count: int) -> None:
    spec = shown.generation.spec
    if not spec.is_image:
        raise Refused(409, "this run makes points, not pictures")
    if count > 1 and count * spec.shape[1] * spec.shape[2] > PIXELS:
        raise Refused(
            400, f"too many pixels at once: at most {PIXELS // (spec.shape[1] * spec.shape[2])} pictures"
        )
