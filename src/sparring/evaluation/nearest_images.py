"""A sheet of generated images next to their nearest real images, to find copies of training images."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from sparring.core.progress import ProgressMonitor
from sparring.data.image_grid import grid_image
from sparring.evaluation.feature_bank import SampleView
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.features.extractor import Extractor
from sparring.metrics.authenticity import nearest_real

NUM_NEAREST = 3  # real images per generated one
NUM_SUSPECTS, NUM_FIRST = 8, 8  # rows: generated images closest to a real one, and the first ones
MAX_SEARCHED = 2_000  # generated images
GAP = 14  # pixels between generated and real, and between the columns


@dataclass(frozen=True, kw_only=True)
class NearestImagesSheet:
    """A sheet of generated images with their nearest real images.

    Arguments:
        image: left the generated images that are closest to a real one, right the first generated ones.
        num_searched: generated images among which the closest were searched.
        source: name of the real data.
    """

    image: Image.Image
    num_searched: int
    source: str


def nearest_images_sheet(
    generated: GeneratedSamples, reference: RealSamples, extractor: Extractor, monitor: ProgressMonitor
) -> NearestImagesSheet | None:
    """The sheet of nearest real images, by distance of features; None for points or for too few samples."""
    count, num_real = min(len(generated.bank), MAX_SEARCHED), len(reference.bank)
    if generated.samples.ndim != 4 or num_real <= NUM_NEAREST or count < 2:
        return None
    fake = SampleView(
        bank=generated.bank, start=0, stop=count, extractor=extractor, monitor=monitor, role="generated"
    )
    real = replace(fake, bank=reference.bank, stop=num_real, role="real")
    nearest = nearest_real(real.features, fake.features, NUM_NEAREST)
    suspects = torch.argsort(nearest.distances[:, 0], stable=True)[:NUM_SUSPECTS]
    columns = []
    for rows in (suspects, torch.arange(min(NUM_FIRST, count))):
        images = fake.samples[rows.numpy()]
        originals = reference.samples[reference.order[nearest.indices[rows].flatten().numpy()]]
        columns.append([grid_image(images, 1), grid_image(np.asarray(originals), NUM_NEAREST)])
    return NearestImagesSheet(image=_paste_side_by_side(columns), num_searched=count, source=reference.source)


def _paste_side_by_side(columns: list[list[Image.Image]]) -> Image.Image:
    """The images in one row, with a small gap within a column and a wide one between columns."""
    parts = [part.convert("RGB") for column in columns for part in column]
    widths = [part.width for part in parts]
    gaps = [GAP // 2 if at % 2 == 0 else 2 * GAP for at in range(len(parts) - 1)]
    whole = Image.new("RGB", (sum(widths) + sum(gaps), max(part.height for part in parts)), "white")
    left = 0
    for part, gap in zip(parts, [*gaps, 0], strict=True):
        whole.paste(part, (left, 0))
        left += part.width + gap
    return whole
