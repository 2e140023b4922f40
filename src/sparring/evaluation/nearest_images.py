"""A sheet of generated images next to their nearest real images, to find copies of training images."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from sparring.core.progress import ProgressMonitor
from sparring.data.image_grid import grid_image
from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.features.extractor import Extractor
from sparring.metrics.authenticity import nearest_real

NUM_NEAREST = 3
NUM_SUSPECTS, NUM_FIRST = 8, 8  # the generated images that are closest to a real one, and the first ones
MAX_SEARCHED = 2_000  # generated images at most
GAP = 14  # pixels between generated and real, and between the columns


@dataclass(frozen=True, kw_only=True)
class NearestImagesSheet:
    """A image, and what is on it.

    Arguments:
        image: on the left the suspects, on the right the first generated ones; each with its closest real ones.
        looked_at: generated samples, of which the suspects are the closest to a real one.
        source: of the real ones.
    """

    image: Image.Image
    num_searched: int
    source: str


def nearest_images_sheet(
    sampled: GeneratedSamples, reference: RealSamples, extractor: Extractor, monitor: ProgressMonitor
) -> NearestImagesSheet | None:
    """The sheet of closest real images; None for points, or where there are too few."""
    count, real_count = min(len(sampled.bank), MAX_SEARCHED), len(reference.bank)
    if sampled.samples.ndim != 4 or real_count <= NUM_NEAREST or count < 2:
        return None
    fake = SampleView(
        bank=sampled.bank, start=0, stop=count, extractor=extractor, monitor=monitor, role="generated"
    )
    real = SampleView(
        bank=reference.bank, start=0, stop=real_count, extractor=extractor, monitor=monitor, role="real"
    )
    found = nearest_real(real.features, fake.features, NUM_NEAREST)
    suspects = torch.argsort(found.distances[:, 0], stable=True)[:NUM_SUSPECTS]
    columns = []
    for chosen in (suspects, torch.arange(min(NUM_FIRST, count))):
        made = fake.samples[chosen.numpy()]
        originals = reference.samples[reference.order[found.indices[chosen].flatten().numpy()]]
        columns.append([grid_image(made, 1), grid_image(np.asarray(originals), NUM_NEAREST)])
    return NearestImagesSheet(image=_paste_side_by_side(columns), num_searched=count, source=reference.source)


def _paste_side_by_side(columns: list[list[Image.Image]]) -> Image.Image:
    """The images side by side."""
    parts = [part.convert("RGB") for column in columns for part in column]
    widths = [part.width for part in parts]
    gaps = [GAP // 2 if at % 2 == 0 else 2 * GAP for at in range(len(parts) - 1)]
    whole = Image.new("RGB", (sum(widths) + sum(gaps), max(part.height for part in parts)), "white")
    left = 0
    for part, gap in zip(parts, [*gaps, 0], strict=True):
        whole.paste(part, (left, 0))
        left += part.width + gap
    return whole
