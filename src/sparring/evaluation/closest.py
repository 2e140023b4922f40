"""The closest real pictures next to generated ones: what copying looks like."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from sparring.data.sheet import grid_image
from sparring.data.watch import Watch
from sparring.evaluation.bank import Side
from sparring.evaluation.sides import Reference, Sampled
from sparring.features.extracted import Extractor
from sparring.metrics.authenticity import nearest

CLOSEST = 3
SUSPECTS, OTHERS = 8, 8  # the generated pictures that are closest to a real one, and the first ones
LOOKED_AT = 2_000  # generated pictures at most
GAP = 14  # pixels between generated and real, and between the columns


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A picture, and what is on it.

    Arguments:
        picture: on the left the suspects, on the right the first generated ones; each with its closest real ones.
        looked_at: generated samples, of which the suspects are the closest to a real one.
        source: of the real ones.
    """

    picture: Image.Image
    looked_at: int
    source: str


def sheet(sampled: Sampled, reference: Reference, extractor: Extractor, watch: Watch) -> Sheet | None:
    """The sheet of closest real pictures; None for points, or where there are too few."""
    count, real_count = min(len(sampled.bank), LOOKED_AT), len(reference.bank)
    if sampled.samples.ndim != 4 or real_count <= CLOSEST or count < 2:
        return None
    fake = Side(bank=sampled.bank, start=0, stop=count, extractor=extractor, watch=watch, role="generated")
    real = Side(bank=reference.bank, start=0, stop=real_count, extractor=extractor, watch=watch, role="real")
    found = nearest(real.features, fake.features, CLOSEST)
    suspects = torch.argsort(found.distances[:, 0], stable=True)[:SUSPECTS]
    columns = []
    for chosen in (suspects, torch.arange(min(OTHERS, count))):
        made = fake.samples[chosen.numpy()]
        originals = reference.samples[reference.order[found.indices[chosen].flatten().numpy()]]
        columns.append([grid_image(made, 1), grid_image(np.asarray(originals), CLOSEST)])
    return Sheet(picture=_joined(columns), looked_at=count, source=reference.source)


def _joined(columns: list[list[Image.Image]]) -> Image.Image:
    """The pictures side by side."""
    parts = [part.convert("RGB") for column in columns for part in column]
    widths = [part.width for part in parts]
    gaps = [GAP // 2 if at % 2 == 0 else 2 * GAP for at in range(len(parts) - 1)]
    whole = Image.new("RGB", (sum(widths) + sum(gaps), max(part.height for part in parts)), "white")
    left = 0
    for part, gap in zip(parts, [*gaps, 0], strict=True):
        whole.paste(part, (left, 0))
        left += part.width + gap
    return whole
