"""Images made for a request: samples, walks, the latent map, translations, and training images; for point
data the coordinates.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import torch
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring.core.shapes import SampleSpec
from sparring.data import Dataset, to_input, to_output
from sparring.data.images.resize import fit_image
from sparring.inference.latent.interpolation import interpolate
from sparring.inference.sampling import sample_array
from sparring.models.translator import A_TO_B, B_TO_A, TranslatorModel
from sparring.serve.context import Context, get_context, parse_query
from sparring.serve.http import (
    MAX_INDEX,
    MAX_ROWS,
    MAX_SEED,
    HTTPError,
    LatentPoint,
    LatentTerm,
    Query,
    is_not_modified,
    make_cache_headers,
    make_etag,
    make_json_response,
    make_png_response,
)
from sparring.serve.model import ClassChoice, CurrentModel, ReloadingModel, stack_vertically
from sparring.serve.routes.latent import decode_upload

MAX_LABEL = 100_000
MAX_TRUNCATION = 2.0
MAX_WALK_STEPS, MAX_MAP_SIDE = 24, 20  # of a walk, of a map
MAX_PIXELS = 4_000_000  # of an answer
SAMPLING_PARAMETERS = ("label", "towards", "share", "truncation")
MAX_POINTS = 4_000


async def sample_images(request: Request) -> Response:
    """Samples `start` to `start + n` of a seed, below each other: the same pixels as `sparring sample --seed`."""
    query = parse_query(request, "seed", "start", "n", *SAMPLING_PARAMETERS)
    seed, start = query.integer("seed", 0, MAX_SEED, 0), query.integer("start", 0, MAX_INDEX, 0)
    count, truncation = query.integer("n", 1, MAX_ROWS, 32), parse_truncation(query)
    wanted, model = parse_class_choice(query), get_context(request).model

    def make(current: CurrentModel) -> np.ndarray:
        _check_size(current, count)
        indices = range(start, start + count)
        label = None
        if wanted != ClassChoice():
            points = [LatentPoint((LatentTerm("sample", (seed, index)),)) for index in indices]
            labels = [model.label(point, wanted) for point in points]
            label = torch.cat([each for each in labels if each is not None])
        if label is not None and label.is_floating_point():
            parts = [model.latent(point, truncation) for point in points]
            return stack_vertically(model.generate(torch.stack(parts), label))
        made = current.generation.sample(seed, indices, label, truncation)
        return stack_vertically(_to_array(current, made))

    return await respond_with_png(request, make)


async def sample_image(request: Request) -> Response:
    """One image: a mix of points, with edits."""
    query = parse_query(request, "at", "edit", *SAMPLING_PARAMETERS)
    point, wanted, truncation = query.point("at", "edit"), parse_class_choice(query), parse_truncation(query)
    model = get_context(request).model

    def make(current: CurrentModel) -> np.ndarray:
        _check_size(current, 1)
        label = model.label(point, wanted)
        return np.asarray(model.generate(model.latent(point, truncation)[None], label)[0])

    return await respond_with_png(request, make)


async def walk_latents(request: Request) -> Response:
    """A walk from one point to another, below each other."""
    query = parse_query(request, "at", "edit", "to", "toedit", "steps", "kind", *SAMPLING_PARAMETERS)
    ends = query.point("at", "edit"), query.point("to", "toedit")
    steps, kind = query.integer("steps", 2, MAX_WALK_STEPS, 9), query.choice("kind", ("spherical", "linear"))
    wanted, truncation = parse_class_choice(query), parse_truncation(query)
    model = get_context(request).model

    def make(current: CurrentModel) -> np.ndarray:
        _check_size(current, steps)
        first, last = (model.latent(point, truncation) for point in ends)
        label = model.label(ends[0], wanted)
        labels = None if label is None else label.expand(steps, *label.shape[1:])
        between = interpolate(first, last, steps, "linear" if kind == "linear" else "spherical")
        return stack_vertically(model.generate(between, labels))

    return await respond_with_png(request, make)


async def map_latents(request: Request) -> Response:
    """The map of a latent space of two dimensions: at equal shares of the prior, row by row, from the upper left."""
    query = parse_query(request, "n", *SAMPLING_PARAMETERS)
    side, wanted = query.integer("n", 2, MAX_MAP_SIDE, 12), parse_class_choice(query)
    model = get_context(request).model

    def make(current: CurrentModel) -> np.ndarray:
        _check_size(current, side * side)
        if current.generation.latent != 2:
            raise HTTPError(409, "a map needs a latent space of two dimensions")
        places = [NormalDist().inv_cdf((at + 0.5) / side) for at in range(side)]
        grid = torch.tensor([[across, down] for down in reversed(places) for across in places])
        label = model.label(LatentPoint((LatentTerm("place", (0.0, 0.0)),)), wanted)
        labels = None if label is None else label.expand(len(grid), *label.shape[1:])
        return stack_vertically(model.generate(grid, labels))

    return await respond_with_png(request, make)


async def sample_points(request: Request) -> Response:
    """Generated points, of a run on points: their coordinates in the data's units."""
    query = parse_query(request, "seed", "n", "label", "truncation")
    seed, count = query.integer("seed", 0, MAX_SEED, 0), query.integer("n", 1, MAX_POINTS, 1000)
    label, truncation = query.optional_integer("label", 0, MAX_LABEL), parse_truncation(query)

    def job() -> Response:
        shown = get_context(request).model.current()
        if shown.generation.spec.is_image:
            raise HTTPError(409, "this run makes images")
        given = None if label is None else torch.full((count,), label)
        made = sample_array(
            shown.generation, shown.loaded.metadata, count, seed, labels=given, truncation=truncation
        )
        return make_json_response(
            {"points": np.nan_to_num(made[:, :2]).round(4).tolist(), "digest": shown.digest}
        )

    return await get_context(request).compute_worker.run(job)


async def respond_with_png(request: Request, make: Callable[[CurrentModel], np.ndarray]) -> Response:
    """A image made in the worker's thread, unless the browser has it."""
    model: ReloadingModel = get_context(request).model

    def job() -> Response:
        shown = model.current()
        etag = make_etag(request, shown.digest)
        headers = make_cache_headers(request, shown.digest, etag)
        return (
            Response(status_code=304, headers=headers)
            if is_not_modified(request, etag)
            else make_png_response(make(shown), headers)
        )

    return await get_context(request).compute_worker.run(job)


def _to_array(current: CurrentModel, made: torch.Tensor) -> np.ndarray:
    return to_output(made, current.generation.spec, current.loaded.metadata["units"])


def parse_class_choice(query: Query) -> ClassChoice:
    label, towards = (
        query.optional_integer("label", 0, MAX_LABEL),
        query.optional_integer("towards", 0, MAX_LABEL),
    )
    return ClassChoice(label=label, blend_label=towards, blend_weight=query.number("share", 0, 1, 0.0))


def parse_truncation(query: Query) -> float:
    return query.number("truncation", 0, MAX_TRUNCATION, 1.0)


def _check_size(current: CurrentModel, count: int) -> None:
    spec = current.generation.spec
    if not spec.is_image:
        raise HTTPError(409, "this run makes points, not images")
    if count > 1 and count * spec.shape[1] * spec.shape[2] > MAX_PIXELS:
        raise HTTPError(
            400, f"too many pixels at once: at most {MAX_PIXELS // (spec.shape[1] * spec.shape[2])} images"
        )


MAX_TRANSLATION_SIZE = 512  # pixels of a side; larger images are reduced


async def translate_image(request: Request) -> Response:
    """The translation of an uploaded image."""
    direction, here = (
        parse_query(request, "direction").choice("direction", (A_TO_B, B_TO_A)),
        get_context(request),
    )
    content = request.scope["sparring.body"]
    return await here.compute_worker.run(lambda: make_png_response(_translate(here, content, direction), {}))


@torch.no_grad()
def _translate(context: Context, content: bytes, direction: str) -> np.ndarray:
    kept = context.model.current().loaded.model
    if not isinstance(kept, TranslatorModel):
        raise HTTPError(409, "this run does not translate images")
    ends = kept.ends(direction)
    found = decode_upload(content)
    found.thumbnail((MAX_TRANSLATION_SIZE, MAX_TRANSLATION_SIZE), Image.Resampling.LANCZOS)
    array = fit_image(found, (found.height, found.width), ends[0][0], "crop")
    made = kept.translate(to_input(array[None]).to(context.model.runtime.device), direction)
    return np.asarray(to_output(made, SampleSpec(shape=(ends[1][0], *made.shape[2:])), {})[0])


MAX_NEIGHBOURS = 12


async def find_nearest(request: Request) -> Response:
    """Numbers and distances of the training images that are closest to a image."""
    query = parse_query(request, "at", "edit", "k", *SAMPLING_PARAMETERS)
    point, count = query.point("at", "edit"), query.integer("k", 1, MAX_NEIGHBOURS, 6)
    wanted: ClassChoice = parse_class_choice(query)
    truncation, here = parse_truncation(query), get_context(request)
    await here.io_worker.run(lambda: _get_training_dataset(request))

    def job() -> Response:
        label = here.model.label(point, wanted)
        sample = np.asarray(here.model.generate(here.model.latent(point, truncation)[None], label)[0])
        found = here.real.nearest_samples(sample, count)
        rows = [{"number": number, "distance": round(distance, 2)} for number, distance in found]
        return make_json_response(
            {"closest": rows, "searched": len(here.real.search_features), "of": len(here.real.data())}
        )

    return await here.compute_worker.run(job)


async def get_training_image(request: Request) -> Response:
    """One training image, by its number."""
    number, here = parse_query(request, "number").integer("number", 0, 10**9), get_context(request)
    await here.io_worker.run(lambda: _get_training_dataset(request))

    def job() -> Response:
        sample = here.real.sample(number)
        if sample.ndim != 3:
            raise HTTPError(409, "this run's data is points")
        return make_png_response(sample, {"Cache-Control": "private, max-age=3600"})

    return await here.io_worker.run(job)


async def get_training_points(request: Request) -> Response:
    """Real points, evenly from the whole set."""
    count, here = parse_query(request, "n").integer("n", 1, MAX_POINTS, 1000), get_context(request)

    def job() -> Response:
        samples = _get_training_dataset(request).samples
        if samples.ndim != 2:
            raise HTTPError(409, "this run's data is images")
        rows = np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int))
        return make_json_response({"points": np.asarray(samples[rows])[:, :2].round(4).tolist()})

    return await here.io_worker.run(job)


def _get_training_dataset(request: Request) -> Dataset:
    here = get_context(request)
    if not here.is_run:
        raise HTTPError(409, "a generator file alone says nothing of its training data")
    return here.real.data()
