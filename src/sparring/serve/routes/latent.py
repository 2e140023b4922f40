"""The latent space: directions for the sliders, and inversion of an uploaded image."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring.data.images.decode import decode, read_header
from sparring.data.images.resize import fit_image
from sparring.inference.latent import directions_from_scores, pca_directions, sefa_directions
from sparring.inference.latent.attributes import StatisticsScorer
from sparring.inference.latent.direction import Direction
from sparring.inference.latent.encoder import model_encoder
from sparring.inference.latent.inversion import InversionOptions, invert
from sparring.inference.sampling import to_model_input
from sparring.models.generator import GeneratorModel
from sparring.serve.context import Context, get_context, parse_query
from sparring.serve.http import BusyError, HTTPError, make_json_response
from sparring.serve.model import CurrentModel

MAX_DIRECTIONS, DIRECTION_SAMPLES = 12, 512  # directions; samples that they are found from
SEARCHING = "searching"  # stands among the sheets while directions are found
MAX_UPLOAD_PIXELS = 24_000_000  # of an upload
INVERSION_SECONDS = 15.0  # of a search
INVERSION_STEPS = 150


def find_pca_directions(generation: GeneratorModel) -> list[Direction]:
    """What changes a deeper layer most."""
    return pca_directions(generation, min(MAX_DIRECTIONS, generation.latent), n=DIRECTION_SAMPLES)


def find_sefa_directions(generation: GeneratorModel) -> list[Direction]:
    """What the first layer amplifies most."""
    return sefa_directions(generation, min(MAX_DIRECTIONS, generation.latent))


def find_attribute_directions(generation: GeneratorModel) -> list[Direction]:
    """What makes images brighter, wider, and so on."""
    judge = StatisticsScorer(generation.spec)
    return directions_from_scores(generation, judge, judge.names[:MAX_DIRECTIONS], n=DIRECTION_SAMPLES)


DIRECTION_METHODS: dict[str, Callable[[GeneratorModel], list[Direction]]] = {
    "pca": find_pca_directions,
    "sefa": find_sefa_directions,
    "looks": find_attribute_directions,
}


async def list_directions(request: Request) -> Response:
    """The directions of one kind, found at the first time of asking; edits name them by `id`."""
    kind, here = parse_query(request, "kind").choice("kind", tuple(DIRECTION_METHODS)), get_context(request)

    def job() -> Response:
        shown = here.model.current()
        found = shown.direction_info.get(kind)
        if found is None:
            found = shown.direction_info[kind] = _find_directions(here, shown, kind)
        return make_json_response({"directions": found, "digest": shown.digest})

    return await here.compute_worker.run(job)


def _find_directions(context: Context, current: CurrentModel, kind: str) -> list[dict[str, Any]]:
    """`find_attribute_directions` makes thousands of samples: between two blocks of them, what waits behind is done. The other kinds are quick, and
    note what the layers do meanwhile, so that nothing may come between.
    """
    if SEARCHING in current.direction_info:
        raise BusyError  # asked for while another search makes room
    current.direction_info[SEARCHING] = []
    generation = current.generation
    hook = generation.register_forward_pre_hook(lambda *_: _run_pending(context)) if kind == "looks" else None
    try:
        directions = DIRECTION_METHODS[kind](generation)
    finally:
        if hook is not None:
            hook.remove()
        del current.direction_info[SEARCHING]
    rows = []
    for number, direction in enumerate(directions):
        name = f"{kind}-{number}"
        current.directions[name] = direction.vector * direction.scale
        rows.append({"id": name, "name": direction.name[:80], "found": direction.statistics or {}})
    return rows


def _run_pending(context: Context) -> None:
    if not context.compute_worker.is_running_pending:
        context.compute_worker.run_pending()


async def invert_image(request: Request) -> Response:
    """The latent of an uploaded image, remembered under a number; and how near it comes."""
    label, here = parse_query(request, "label").optional_integer("label", 0, 100_000), get_context(request)
    content = request.scope["sparring.body"]
    return await here.compute_worker.run(lambda: make_json_response(_invert_upload(here, content, label)))


def _invert_upload(context: Context, content: bytes, label: int | None) -> dict[str, Any]:
    shown = context.model.current()
    generation, spec = shown.generation, shown.generation.spec
    if not spec.is_image:
        raise HTTPError(409, "this run makes points, not images")
    array = fit_image(decode_upload(content), (spec.shape[1], spec.shape[2]), spec.shape[0], "crop")
    x = to_model_input(spec, shown.loaded.metadata, np.asarray(array)[None])
    until = time.monotonic() + INVERSION_SECONDS

    def watch(done: int, total: int) -> bool:
        context.compute_worker.run_pending()
        return time.monotonic() > until

    if label is not None and label >= spec.num_classes:
        raise HTTPError(400, "label: no such class")
    y = None if label is None else torch.tensor([label])
    encoder = model_encoder(generation) if generation.encoder is not None else None
    found = invert(
        generation,
        x,
        y,
        encoder=encoder,
        options=replace(InversionOptions(), steps=INVERSION_STEPS),
        progress=watch,
    )
    if context.model.current().digest != shown.digest:
        raise HTTPError(409, "the generator has changed meanwhile; give the image again")
    number = context.model.store_upload(found.z[0], None if found.y is None else found.y[:1])
    told = {"upload": number, "psnr": round(float(found.psnr[0]), 2), "seconds": round(found.seconds, 2)}
    if found.y is not None:
        told["label"] = int(found.y[0].argmax()) if found.y.is_floating_point() else int(found.y[0])
    return told


def decode_upload(content: bytes) -> Image.Image:
    """The image in a body, decoded under the limits of `data/decode.py` and a tighter one on its size.

    Raises:
        InvalidImageError: it is none that can be read. Refused: too large.
    """
    found, _ = read_header(content)
    if found.width * found.height > MAX_UPLOAD_PIXELS:
        raise HTTPError(413, f"at most {MAX_UPLOAD_PIXELS // 10**6} million pixels")
    return decode(content)[0]
