"""A picture from one domain to the other, by a run that translates."""

import numpy as np
import torch
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from sparring.data import to_input, to_output
from sparring.data.fit import fitted
from sparring.games.translation import A_TO_B, B_TO_A, Translation
from sparring.serve.answers import picture
from sparring.serve.context import Context, asked, context
from sparring.serve.latent_routes import uploaded
from sparring.serve.refused import Refused
from sparring.shapes import Spec

LONGEST = 512  # pixels of a side; larger pictures are reduced


async def translated(request: Request) -> Response:
    """The translation of an uploaded picture."""
    direction, here = asked(request, "direction").choice("direction", (A_TO_B, B_TO_A)), context(request)
    content = request.scope["sparring.body"]
    return await here.drawing.run(lambda: picture(_translated(here, content, direction), {}))


@torch.no_grad()
def _translated(here: Context, content: bytes, direction: str) -> np.ndarray:
    kept = here.model.shown().loaded.kept
    if not isinstance(kept, Translation):
        raise Refused(409, "this run does not translate pictures")
    ends = kept.ends(direction)
    found = uploaded(content)
    found.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    array = fitted(found, (found.height, found.width), ends[0][0], "crop")
    made = kept.translate(to_input(array[None]).to(here.model.machine.device), direction)
    return np.asarray(to_output(made, Spec(shape=(ends[1][0], *made.shape[2:])), {})[0])
