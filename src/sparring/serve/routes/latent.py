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

MAX_DIRECTIONS = 12  # of a kind
DIRECTION_SAMPLES = 512  # samples that directions are computed from
MAX_UPLOAD_PIXELS = 24_000_000
INVERSION_SECONDS = 15.0
INVERSION_STEPS = 150


def find_pca_directions(generation: GeneratorModel) -> list[Direction]:
    """Principal components of a deeper layer's activations (GANSpace)."""
    return pca_directions(generation, min(MAX_DIRECTIONS, generation.latent), n=DIRECTION_SAMPLES)


def find_sefa_directions(generation: GeneratorModel) -> list[Direction]:
    """The directions that the first layer amplifies most (SeFa)."""
    return sefa_directions(generation, min(MAX_DIRECTIONS, generation.latent))


def find_attribute_directions(generation: GeneratorModel) -> list[Direction]:
    """Directions of image statistics, such as brightness and width."""
    scorer = StatisticsScorer(generation.spec)
    return directions_from_scores(generation, scorer, scorer.names[:MAX_DIRECTIONS], n=DIRECTION_SAMPLES)


ATTRIBUTES = "attributes"
DIRECTION_METHODS: dict[str, Callable[[GeneratorModel], list[Direction]]] = {
    "pca": find_pca_directions,
    "sefa": find_sefa_directions,
    ATTRIBUTES: find_attribute_directions,
}


async def list_directions(request: Request) -> Response:
    """The directions of one kind, computed on first use; edits refer to them by `id`."""
    kind = parse_query(request, "kind").choice("kind", tuple(DIRECTION_METHODS))
    context = get_context(request)

    def job() -> Response:
        current = context.model.current()
        if kind not in current.direction_info:
            current.direction_info[kind] = _find_directions(context, current, kind)
        return make_json_response({"directions": current.direction_info[kind], "digest": current.digest})

    return await context.compute_worker.run(job)


def _find_directions(context: Context, current: CurrentModel, kind: str) -> list[dict[str, Any]]:
    """Compute and store the directions of a kind.

    `find_attribute_directions` generates thousands of samples: waiting requests run between their batches. The other kinds are
    quick and record activations with hooks, so that no other forward pass may come between.

    Raises:
        BusyError: another search is under way, and let this request run.
    """
    if current.is_searching:
        raise BusyError
    current.is_searching = True
    generation = current.generation
    hook = (
        generation.register_forward_pre_hook(lambda *_: _run_pending(context)) if kind == ATTRIBUTES else None
    )
    try:
        directions = DIRECTION_METHODS[kind](generation)
    finally:
        if hook is not None:
            hook.remove()
        current.is_searching = False
    rows = []
    for number, direction in enumerate(directions):
        name = f"{kind}-{number}"
        current.directions[name] = direction.vector * direction.scale
        rows.append({"id": name, "name": direction.name[:80], "statistics": direction.statistics or {}})
    return rows


def _run_pending(context: Context) -> None:
    if not context.compute_worker.is_running_pending:
        context.compute_worker.run_pending()


async def invert_image(request: Request) -> Response:
    """Invert an uploaded image: its latent is stored under a number; and the PSNR of the reconstruction."""
    label = parse_query(request, "label").optional_integer("label", 0, 100_000)
    context, content = get_context(request), request.scope["sparring.body"]
    return await context.compute_worker.run(
        lambda: make_json_response(_invert_upload(context, content, label))
    )


def _invert_upload(context: Context, content: bytes, label: int | None) -> dict[str, Any]:
    current = context.model.current()
    generation, spec = current.generation, current.generation.spec
    if not spec.is_image:
        raise HTTPError(409, "this run generates points, not images")
    array = fit_image(decode_upload(content), (spec.shape[1], spec.shape[2]), spec.shape[0], "crop")
    x = to_model_input(spec, current.loaded.metadata, np.asarray(array)[None])
    deadline = time.monotonic() + INVERSION_SECONDS

    def is_over(done: int, total: int) -> bool:
        context.compute_worker.run_pending()
        return time.monotonic() > deadline

    if label is not None and label >= spec.num_classes:
        raise HTTPError(400, "label: no such class")
    y = None if label is None else torch.tensor([label])
    encoder = model_encoder(generation) if generation.encoder is not None else None
    inversion = invert(
        generation,
        x,
        y,
        encoder=encoder,
        options=replace(InversionOptions(), steps=INVERSION_STEPS),
        progress=is_over,
    )
    if context.model.current().digest != current.digest:
        raise HTTPError(409, "the generator has changed in the meantime; upload the image again")
    z, y = inversion.z, inversion.y
    number = context.model.store_upload(z[0], None if y is None else y[:1])
    result = {
        "upload": number,
        "psnr": round(float(inversion.psnr[0]), 2),
        "seconds": round(inversion.seconds, 2),
    }
    if y is not None:
        result["label"] = int(y[0].argmax()) if y.is_floating_point() else int(y[0])
    return result


def decode_upload(content: bytes) -> Image.Image:
    """The image in a request's body, decoded under the limits of `data/images/decode.py` and a tighter one on its size.

    Raises:
        InvalidImageError: it can't be decoded. HTTPError: it has more than `MAX_UPLOAD_PIXELS`.
    """
    header, _ = read_header(content)
    if header.width * header.height > MAX_UPLOAD_PIXELS:
        raise HTTPError(413, f"at most {MAX_UPLOAD_PIXELS // 10**6} million pixels")
    return decode(content)[0]
