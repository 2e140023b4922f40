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
MAX_WALK_STEPS, MAX_MAP_SIDE = 24, 20
MAX_PIXELS = 4_000_000  # of a response
SAMPLING_PARAMETERS = ("label", "blend_label", "blend_weight", "truncation")
MAX_POINTS = 4_000
MAX_TRANSLATION_SIZE = 512  # pixels of the longer side; larger uploads are reduced
MAX_NEIGHBOURS = 12


async def sample_images(request: Request) -> Response:
    """Samples `start` to `start + n` of a seed, stacked vertically: the same pixels as `sparring sample --seed`."""
    query = parse_query(request, "seed", "start", "n", *SAMPLING_PARAMETERS)
    seed, start = query.integer("seed", 0, MAX_SEED, 0), query.integer("start", 0, MAX_INDEX, 0)
    count, truncation = query.integer("n", 1, MAX_ROWS, 32), parse_truncation(query)
    class_choice, model = parse_class_choice(query), get_context(request).model

    def render(current: CurrentModel) -> np.ndarray:
        _check_size(current, count)
        indices = range(start, start + count)
        label = None
        if class_choice != ClassChoice():
            points = [LatentPoint((LatentTerm("sample", (seed, index)),)) for index in indices]
            labels = [model.label(point, class_choice) for point in points]
            label = torch.cat([each for each in labels if each is not None])
        if label is not None and label.is_floating_point():
            latents = [model.latent(point, truncation) for point in points]
            return stack_vertically(model.generate(torch.stack(latents), label))
        samples = current.generation.sample(seed, indices, label, truncation)
        return stack_vertically(_to_array(current, samples))

    return await respond_with_png(request, render)


async def sample_image(request: Request) -> Response:
    """The image of one latent point: a mix of latents, with edits."""
    query = parse_query(request, "point", "edits", *SAMPLING_PARAMETERS)
    point, class_choice = query.point("point", "edits"), parse_class_choice(query)
    truncation, model = parse_truncation(query), get_context(request).model

    def render(current: CurrentModel) -> np.ndarray:
        _check_size(current, 1)
        label = model.label(point, class_choice)
        return np.asarray(model.generate(model.latent(point, truncation)[None], label)[0])

    return await respond_with_png(request, render)


async def walk_latents(request: Request) -> Response:
    """Images of an interpolation between two latent points, stacked vertically."""
    query = parse_query(request, "point", "edits", "end", "end_edits", "steps", "kind", *SAMPLING_PARAMETERS)
    start, end = query.point("point", "edits"), query.point("end", "end_edits")
    steps, kind = query.integer("steps", 2, MAX_WALK_STEPS, 9), query.choice("kind", ("spherical", "linear"))
    class_choice, truncation = parse_class_choice(query), parse_truncation(query)
    model = get_context(request).model

    def render(current: CurrentModel) -> np.ndarray:
        _check_size(current, steps)
        first, last = model.latent(start, truncation), model.latent(end, truncation)
        label = model.label(start, class_choice)
        labels = None if label is None else label.expand(steps, *label.shape[1:])
        latents = interpolate(first, last, steps, "linear" if kind == "linear" else "spherical")
        return stack_vertically(model.generate(latents, labels))

    return await respond_with_png(request, render)


async def map_latents(request: Request) -> Response:
    """A map of a two-dimensional latent space: a grid at equal quantiles of the prior, row by row from the upper left."""
    query = parse_query(request, "n", *SAMPLING_PARAMETERS)
    side, class_choice = query.integer("n", 2, MAX_MAP_SIDE, 12), parse_class_choice(query)
    model = get_context(request).model

    def render(current: CurrentModel) -> np.ndarray:
        _check_size(current, side * side)
        if current.generation.latent != 2:
            raise HTTPError(409, "a map needs a latent space of two dimensions")
        quantiles = [NormalDist().inv_cdf((cell + 0.5) / side) for cell in range(side)]
        grid = torch.tensor([[x, y] for y in reversed(quantiles) for x in quantiles])
        label = model.label(LatentPoint((LatentTerm("coordinates", (0.0, 0.0)),)), class_choice)
        labels = None if label is None else label.expand(len(grid), *label.shape[1:])
        return stack_vertically(model.generate(grid, labels))

    return await respond_with_png(request, render)


async def sample_points(request: Request) -> Response:
    """Generated points of a run on points: their first two coordinates, in the data's units."""
    query = parse_query(request, "seed", "n", "label", "truncation")
    seed, count = query.integer("seed", 0, MAX_SEED, 0), query.integer("n", 1, MAX_POINTS, 1000)
    label, truncation = query.optional_integer("label", 0, MAX_LABEL), parse_truncation(query)

    def job() -> Response:
        current = get_context(request).model.current()
        if current.generation.spec.is_image:
            raise HTTPError(409, "this run generates images, not points")
        labels = None if label is None else torch.full((count,), label)
        samples = sample_array(
            current.generation, current.loaded.metadata, count, seed, labels=labels, truncation=truncation
        )
        points = np.nan_to_num(samples[:, :2]).round(4).tolist()
        return make_json_response({"points": points, "digest": current.digest})

    return await get_context(request).compute_worker.run(job)


async def respond_with_png(request: Request, render: Callable[[CurrentModel], np.ndarray]) -> Response:
    """An image rendered in the compute worker's thread; 304 where the browser has it already."""
    model: ReloadingModel = get_context(request).model

    def job() -> Response:
        current = model.current()
        etag = make_etag(request, current.digest)
        headers = make_cache_headers(request, current.digest, etag)
        return (
            Response(status_code=304, headers=headers)
            if is_not_modified(request, etag)
            else make_png_response(render(current), headers)
        )

    return await get_context(request).compute_worker.run(job)


def _to_array(current: CurrentModel, samples: torch.Tensor) -> np.ndarray:
    return to_output(samples, current.generation.spec, current.loaded.metadata["units"])


def parse_class_choice(query: Query) -> ClassChoice:
    """The class in a query, and the class blended with it."""
    label = query.optional_integer("label", 0, MAX_LABEL)
    blend_label = query.optional_integer("blend_label", 0, MAX_LABEL)
    return ClassChoice(
        label=label, blend_label=blend_label, blend_weight=query.decimal("blend_weight", 0, 1, 0.0)
    )


def parse_truncation(query: Query) -> float:
    """The factor of all latents, 1 by default."""
    return query.decimal("truncation", 0, MAX_TRUNCATION, 1.0)


def _check_size(current: CurrentModel, count: int) -> None:
    spec = current.generation.spec
    if not spec.is_image:
        raise HTTPError(409, "this run generates points, not images")
    if count > 1 and count * spec.shape[1] * spec.shape[2] > MAX_PIXELS:
        raise HTTPError(
            400, f"too many pixels at once: at most {MAX_PIXELS // (spec.shape[1] * spec.shape[2])} images"
        )


async def translate_image(request: Request) -> Response:
    """The translation of an uploaded image."""
    direction = parse_query(request, "direction").choice("direction", (A_TO_B, B_TO_A))
    context, content = get_context(request), request.scope["sparring.body"]
    return await context.compute_worker.run(
        lambda: make_png_response(_translate(context, content, direction), {})
    )


@torch.no_grad()
def _translate(context: Context, content: bytes, direction: str) -> np.ndarray:
    model = context.model.current().loaded.model
    if not isinstance(model, TranslatorModel):
        raise HTTPError(409, "this run does not translate images")
    source_shape, target_shape = model.ends(direction)
    upload = decode_upload(content)
    upload.thumbnail((MAX_TRANSLATION_SIZE, MAX_TRANSLATION_SIZE), Image.Resampling.LANCZOS)
    array = fit_image(upload, (upload.height, upload.width), source_shape[0], "crop")
    translated = model.translate(to_input(array[None]).to(context.model.runtime.device), direction)
    spec = SampleSpec(shape=(target_shape[0], *translated.shape[2:]))
    return np.asarray(to_output(translated, spec, {})[0])


async def find_nearest(request: Request) -> Response:
    """Indices and distances of the training images nearest to a generated image."""
    query = parse_query(request, "point", "edits", "n", *SAMPLING_PARAMETERS)
    point, count = query.point("point", "edits"), query.integer("n", 1, MAX_NEIGHBOURS, 6)
    class_choice = parse_class_choice(query)
    truncation, context = parse_truncation(query), get_context(request)
    await context.io_worker.run(lambda: _get_training_dataset(request))

    def job() -> Response:
        label = context.model.label(point, class_choice)
        sample = np.asarray(context.model.generate(context.model.latent(point, truncation)[None], label)[0])
        samples = context.training_samples
        neighbours = samples.nearest_samples(sample, count)
        return make_json_response(
            {
                "nearest": [
                    {"index": index, "distance": round(distance, 2)} for index, distance in neighbours
                ],
                "num_searched": len(samples.search_features),
                "num_training": len(samples.data()),
            }
        )

    return await context.compute_worker.run(job)


async def get_training_image(request: Request) -> Response:
    """One training image, by its index."""
    index, context = parse_query(request, "index").integer("index", 0, 10**9), get_context(request)
    await context.io_worker.run(lambda: _get_training_dataset(request))

    def job() -> Response:
        sample = context.training_samples.sample(index)
        if sample.ndim != 3:
            raise HTTPError(409, "this run's data are points")
        return make_png_response(sample, {"Cache-Control": "private, max-age=3600"})

    return await context.io_worker.run(job)


async def get_training_points(request: Request) -> Response:
    """Real points, evenly spaced over the training set."""
    count, context = parse_query(request, "n").integer("n", 1, MAX_POINTS, 1000), get_context(request)

    def job() -> Response:
        samples = _get_training_dataset(request).samples
        if samples.ndim != 2:
            raise HTTPError(409, "this run's data are images")
        rows = np.unique(np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(int))
        return make_json_response({"points": np.asarray(samples[rows])[:, :2].round(4).tolist()})

    return await context.io_worker.run(job)


def _get_training_dataset(request: Request) -> Dataset:
    context = get_context(request)
    if not context.is_run:
        raise HTTPError(409, "a generator file alone does not name its training data")
    return context.training_samples.data()
