"""The latent space: directions for the sliders, and the latent of an uploaded picture."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring.data.decode import decode, probe
from sparring.data.fit import fitted
from sparring.games.generation import Generation
from sparring.latent.direction import Direction
from sparring.latent.directions import by_judge_each, pca, sefa
from sparring.latent.guessing import own_encoder
from sparring.latent.inversion import Inverting, invert
from sparring.latent.judges import Statistics
from sparring.samples import inputs
from sparring.serve.answers import plain
from sparring.serve.context import Context, asked, context
from sparring.serve.refused import Busy, Refused
from sparring.serve.shown import Shown

MOST, SAMPLES = 12, 512  # directions; samples that they are found from
SEARCHING = "searching"  # stands among the sheets while directions are found
PIXELS = 24_000_000  # of an upload
SECONDS = 15.0  # of a search
STEPS = 150


def components(generation: Generation) -> list[Direction]:
    """What changes a deeper layer most."""
    return pca(generation, min(MOST, generation.latent), n=SAMPLES)


def amplified(generation: Generation) -> list[Direction]:
    """What the first layer amplifies most."""
    return sefa(generation, min(MOST, generation.latent))


def looks(generation: Generation) -> list[Direction]:
    """What makes pictures brighter, wider, and so on."""
    judge = Statistics(generation.spec)
    return by_judge_each(generation, judge, judge.names[:MOST], n=SAMPLES)


FINDERS: dict[str, Callable[[Generation], list[Direction]]] = {
    "pca": components,
    "sefa": amplified,
    "looks": looks,
}


async def directions(request: Request) -> Response:
    """The directions of one kind, found at the first time of asking; edits name them by `id`."""
    kind, here = asked(request, "kind").choice("kind", tuple(FINDERS)), context(request)

    def job() -> Response:
        shown = here.model.shown()
        found = shown.sheets.get(kind)
        if found is None:
            found = shown.sheets[kind] = _found(here, shown, kind)
        return plain({"directions": found, "digest": shown.digest})

    return await here.drawing.run(job)


def _found(here: Context, shown: Shown, kind: str) -> list[dict[str, Any]]:
    """`looks` makes thousands of samples: between two blocks of them, what waits behind is done. The other kinds are quick, and
    note what the layers do meanwhile, so that nothing may come between.
    """
    if SEARCHING in shown.sheets:
        raise Busy  # asked for while another search makes room
    shown.sheets[SEARCHING] = []
    generation = shown.generation
    hook = generation.register_forward_pre_hook(lambda *_: _pause(here)) if kind == "looks" else None
    try:
        directions = FINDERS[kind](generation)
    finally:
        if hook is not None:
            hook.remove()
        del shown.sheets[SEARCHING]
    rows = []
    for number, direction in enumerate(directions):
        name = f"{kind}-{number}"
        shown.directions[name] = direction.vector * direction.reach
        rows.append({"id": name, "name": direction.name[:80], "found": direction.found or {}})
    return rows


def _pause(here: Context) -> None:
    if not here.drawing.breathing:
        here.drawing.breathe()


async def inversion(request: Request) -> Response:
    """The latent of an uploaded picture, remembered under a number; and how near it comes."""
    label, here = asked(request, "label").maybe("label", 0, 100_000), context(request)
    content = request.scope["sparring.body"]
    return await here.drawing.run(lambda: plain(_inverted(here, content, label)))


def _inverted(here: Context, content: bytes, label: int | None) -> dict[str, Any]:
    shown = here.model.shown()
    generation, spec = shown.generation, shown.generation.spec
    if not spec.is_image:
        raise Refused(409, "this run makes points, not pictures")
    array = fitted(uploaded(content), (spec.shape[1], spec.shape[2]), spec.shape[0], "crop")
    x = inputs(spec, shown.loaded.facts, np.asarray(array)[None])
    until = time.monotonic() + SECONDS

    def watch(done: int, total: int) -> bool:
        here.drawing.breathe()
        return time.monotonic() > until

    if label is not None and label >= spec.classes:
        raise Refused(400, "label: no such class")
    y = None if label is None else torch.tensor([label])
    encoder = own_encoder(generation) if generation.encoder is not None else None
    found = invert(generation, x, y, encoder=encoder, settings=replace(Inverting(), steps=STEPS), watch=watch)
    if here.model.shown().digest != shown.digest:
        raise Refused(409, "the generator has changed meanwhile; give the picture again")
    number = here.model.remember(found.z[0], None if found.y is None else found.y[:1])
    told = {"upload": number, "psnr": round(float(found.psnr[0]), 2), "seconds": round(found.seconds, 2)}
    if found.y is not None:
        told["label"] = int(found.y[0].argmax()) if found.y.is_floating_point() else int(found.y[0])
    return told


def uploaded(content: bytes) -> Image.Image:
    """The picture in a body, decoded under the limits of `data/decode.py` and a tighter one on its size.

    Raises:
        InvalidImageError: it is none that can be read. Refused: too large.
    """
    found, _ = probe(content)
    if found.width * found.height > PIXELS:
        raise Refused(413, f"at most {PIXELS // 10**6} million pixels")
    return decode(content)[0]
