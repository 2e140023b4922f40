"""Translation of one image, whole or in overlapping tiles without seams.

A tile normalised by its own mean and variance would differ in tone from its neighbours. So the statistics are
measured once, on crops from all over the image, and used for all tiles. Overlapping tiles are blended with
weights that rise linearly from their edges. Only one row of tiles is in memory as floating-point numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.runtime import Runtime
from sparring.core.shapes import SampleSpec
from sparring.data import to_input, to_output
from sparring.models.translator import TranslatorModel
from sparring.parts.networks.layers.instance_norm import fixed_statistics

CROPS_PER_SIDE = 3  # statistics are measured on a grid of 3 x 3 crops
CROP_SIZE = 192  # pixels
MAX_TILE_BATCH_PIXELS = 262_144  # of the tiles that are translated in one batch


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How large images are divided into tiles.

    Arguments:
        tile_size: side of a tile, in pixels; images of at most this height and width are translated whole.
        overlap: minimum overlap of neighbouring tiles, in pixels.

    Raises:
        ConfigError: a value out of range.
    """

    tile_size: int = 512
    overlap: int = 64

    def __post_init__(self) -> None:
        if not (16 <= self.tile_size <= 4096 and 0 < self.overlap <= self.tile_size // 2):
            raise ConfigError(
                f"tiles of {self.tile_size} pixels that overlap by {self.overlap}",
                "16 to 4096 pixels, and an overlap of at most half of that",
                "use the defaults, 512 and 64",
            )


def translate_whole(
    translation: TranslatorModel, images: np.ndarray, direction: str, runtime: Runtime
) -> np.ndarray:
    """Images uint8 (n, h, w, c) of one size, each translated whole: uint8 (n, h, w, c')."""
    return _translate_batch(translation, to_input(images), direction, runtime)


def translate_tiled(
    translation: TranslatorModel, image: np.ndarray, direction: str, tiling: Tiling, runtime: Runtime
) -> np.ndarray:
    """Translate a large image uint8 (h, w, c) tile by tile: uint8 (h, w, c').

    Two sums run down the image, one row of tiles high: of weighted outputs, and of weights. Where the next row of tiles
    begins, the lines above it are complete; they are divided, written and shifted out.
    """
    height, width = image.shape[:2]
    tile_height, tile_width = min(tiling.tile_size, height), min(tiling.tile_size, width)
    tops = tile_starts(height, tile_height, tiling.overlap)
    lefts = tile_starts(width, tile_width, tiling.overlap)
    down, across = blend_weights(tile_height, tiling.overlap), blend_weights(tile_width, tiling.overlap)
    output = np.empty((height, width, translation.ends(direction)[1][0]), np.uint8)
    sums = np.zeros((tile_height, width, output.shape[2]), np.float32)
    weights = np.zeros(tile_height, np.float32)
    network = translation.network(direction)
    with torch.no_grad(), fixed_statistics(network, _statistics_crops(image).to(runtime.device)):
        for top, following in zip(tops, [*tops[1:], height], strict=True):
            band = image[top : top + tile_height]
            sums += _translate_row(translation, band, direction, lefts, across, runtime) * down[:, None, None]
            weights += down
            done = following - top
            output[top:following] = (sums[:done] / weights[:done, None, None] + 0.5).astype(np.uint8)
            for window in (sums, weights):
                window[: len(window) - done] = window[done:].copy()
                window[len(window) - done :] = 0
    return output


def tile_starts(length: int, tile_size: int, overlap: int) -> list[int]:
    """The first pixels of tiles that cover a length, evenly spaced from edge to edge.

    >>> tile_starts(1000, 512, 64), tile_starts(300, 300, 64)
    ([0, 244, 488], [0])
    """
    count = 1 if length <= tile_size else -(-(length - overlap) // (tile_size - overlap))
    return [round(at) for at in np.linspace(0, length - tile_size, count)]


def blend_weights(tile_size: int, overlap: int) -> np.ndarray:
    """Weights (tile_size,) of the lines of a tile: 1 inside, falling linearly towards both edges."""
    position = np.arange(tile_size)
    distance = np.minimum(position, tile_size - 1 - position) + 1
    return (np.minimum(distance, overlap) / overlap).astype(np.float32)


def _translate_row(
    translation: TranslatorModel,
    band: np.ndarray,
    direction: str,
    lefts: list[int],
    across: np.ndarray,
    runtime: Runtime,
) -> np.ndarray:
    """One row of tiles, blended: float32 (tile height, width, c')."""
    total, weights = None, np.zeros(band.shape[1], np.float32)
    for left, tile in _translate_tiles(translation, band, direction, lefts, len(across), runtime):
        if total is None:
            total = np.zeros((*band.shape[:2], tile.shape[2]), np.float32)
        total[:, left : left + len(across)] += tile * across[None, :, None]
        weights[left : left + len(across)] += across
    assert total is not None
    return total / weights[None, :, None]


def _translate_tiles(
    translation: TranslatorModel,
    band: np.ndarray,
    direction: str,
    lefts: list[int],
    tile_size: int,
    runtime: Runtime,
) -> Iterator[tuple[int, np.ndarray]]:
    """The (left, uint8 (h, w, c')) of each tile of a row, translated in batches."""
    batch = max(1, MAX_TILE_BATCH_PIXELS // (tile_size * band.shape[0]))
    for first in range(0, len(lefts), batch):
        batch_lefts = lefts[first : first + batch]
        tiles = np.stack([band[:, left : left + tile_size] for left in batch_lefts])
        yield from zip(batch_lefts, translate_whole(translation, tiles, direction, runtime), strict=True)


def _statistics_crops(image: np.ndarray) -> Tensor:
    """Crops (n, c, side, side) on a regular grid over an image, in [-1, 1]."""
    side = min(CROP_SIZE, *image.shape[:2])
    tops, lefts = (np.linspace(0, length - side, CROPS_PER_SIDE).astype(int) for length in image.shape[:2])
    crops = np.stack([image[top : top + side, left : left + side] for top in tops for left in lefts])
    return to_input(crops)


@torch.no_grad()
def _translate_batch(translation: TranslatorModel, x: Tensor, direction: str, runtime: Runtime) -> np.ndarray:
    with runtime.autocast():
        y = translation.translate(x.to(runtime.device), direction)
    return to_output(y, SampleSpec(shape=tuple(y.shape[1:])), {})
