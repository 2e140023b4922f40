"""What of the training data is shown: the samples closest to a picture, the points."""

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from sparring.data import Dataset
from sparring.serve.answers import picture, plain
from sparring.serve.context import asked, context
from sparring.serve.picture_routes import LOOK, POINTS, truncation_of, wanted_of
from sparring.serve.refused import Refused
from sparring.serve.shown import Wanted

CLOSEST = 12


async def closest(request: Request) -> Response:
    """Numbers and distances of the training pictures that are closest to a picture."""
    query = asked(request, "at", "edit", "k", *LOOK)
    point, count = query.point("at", "edit"), query.whole("k", 1, CLOSEST, 6)
    wanted: Wanted = wanted_of(query)
    truncation, here = truncation_of(query), context(request)
    await here.reading.run(lambda: _data(request))

    def job() -> Response:
        label = here.model.label(point, wanted)
        sample = np.asarray(here.model.draw(here.model.latent(point, truncation)[None], label)[0])
        found = here.real.closest(sample, count)
        rows = [{"number": number, "distance": round(distance, 2)} for number, distance in found]
        return plain({"closest": rows, "searched": len(here.real.table), "of": len(here.real.data())})

    return await here.drawing.run(job)


async def real(request: Request) -> Response:
    """One training picture, by its number."""
    number, here = asked(request, "number").whole("number", 0, 10**9), context(request)
    await here.reading.run(lambda: _data(request))

    def job() -> Response:
        sample = here.real.sample(number)
        if sample.ndim != 3:
            raise Refused(409, "this run's data is points")
        return picture(sample, {"Cache-Control": "private, max-age=3600"})

    return await here.reading.run(job)


async def real_points(request: Request) -> Response:
    """Real points, evenly from the whole set."""
    count, here = asked(request, "n").whole("n", 1, POINTS, 1000), context(request)

    def job() -> Response:
        samples = _data(request).samples
        if samples.ndim != 2:
            raise Refused(409, "this run's data is pictures")
        rows = np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int))
        return plain({"points": np.asarray(samples[rows])[:, :2].round(4).tolist()})

    return await here.reading.run(job)


def _data(request: Request) -> Dataset:
    here = context(request)
    if not here.is_run:
        raise Refused(409, "a generator file alone says nothing of its training data")
    return here.real.data()
