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

CROPS_PER_SIDE = 3  # a side: statistics are measured on so many times so many crops
CROP_SIZE = 192
MAX_TILE_BATCH_PIXELS = 262_144  # of the tiles that are translated at once


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How large images are taken apart.

    Arguments:
        side: of a tile, in pixels; images of at most this height and width are translated whole.
        overlap: of neighbours, in pixels, at least.
    """

    tile_size: int = 512
    overlap: int = 64

    def __post_init__(self) -> None:
        if not (16 <= self.tile_size <= 4096 and 0 < self.overlap <= self.tile_size // 2):
            raise ConfigError(
                f"tiles of {self.tile_size} pixels that overlap by {self.overlap}",
                "16 to 4096 pixels, and an overlap of at most half of that",
                "leave them out: 512 and 64",
            )


def translate_whole(
    translation: TranslatorModel, pictures: np.ndarray, direction: str, runtime: Runtime
) -> np.ndarray:
    """Images uint8 (n, h, w, c) of one size, each translated whole: uint8 (n, h, w, c')."""
    return _translate_batch(translation, to_input(pictures), direction, runtime)


def translate_tiled(
    translation: TranslatorModel, picture: np.ndarray, direction: str, tiling: Tiling, runtime: Runtime
) -> np.ndarray:
    """A large image uint8 (h, w, c), tile by tile: uint8 (h, w, c')."""
    height, width = picture.shape[:2]
    sides = min(tiling.tile_size, height), min(tiling.tile_size, width)
    tops, lefts = tile_starts(height, sides[0], tiling.overlap), tile_starts(width, sides[1], tiling.overlap)
    down, across = blend_weights(sides[0], tiling.overlap), blend_weights(sides[1], tiling.overlap)
    made = np.empty((height, width, translation.ends(direction)[1][0]), np.uint8)
    rows = np.zeros((sides[0], width, made.shape[2]), np.float32)
    weights = np.zeros(sides[0], np.float32)
    network = translation.network(direction)
    with torch.no_grad(), fixed_statistics(network, _statistics_crops(picture).to(runtime.device)):
        for top, following in zip(tops, [*tops[1:], height], strict=True):
            band = picture[top : top + sides[0]]
            rows += _translate_row(translation, band, direction, lefts, across, runtime) * down[:, None, None]
            weights += down
            done = following - top
            made[top:following] = (rows[:done] / weights[:done, None, None] + 0.5).astype(np.uint8)
            for held in (rows, weights):
                held[: len(held) - done] = held[done:].copy()
                held[len(held) - done :] = 0
    return made


def tile_starts(length: int, tile_size: int, overlap: int) -> list[int]:
    """Where tiles begin, evenly, from edge to edge.

    >>> tile_starts(1000, 512, 64), tile_starts(300, 300, 64)
    ([0, 244, 488], [0])
    """
    count = 1 if length <= tile_size else -(-(length - overlap) // (tile_size - overlap))
    return [round(at) for at in np.linspace(0, length - tile_size, count)]


def blend_weights(tile_size: int, overlap: int) -> np.ndarray:
    """Weights of a tile's rows (side,): 1 inside, falling towards both edges."""
    at = np.arange(tile_size)
    edge = np.minimum(at, tile_size - 1 - at) + 1
    return (np.minimum(edge, overlap) / overlap).astype(np.float32)


def _translate_row(
    translation: TranslatorModel,
    band: np.ndarray,
    direction: str,
    lefts: list[int],
    across: np.ndarray,
    runtime: Runtime,
) -> np.ndarray:
    """A row of tiles, blended: float32 (side, width, c')."""
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
    at_once = max(1, MAX_TILE_BATCH_PIXELS // (tile_size * band.shape[0]))
    for first in range(0, len(lefts), at_once):
        some = lefts[first : first + at_once]
        pictures = np.stack([band[:, left : left + tile_size] for left in some])
        yield from zip(some, translate_whole(translation, pictures, direction, runtime), strict=True)


def _statistics_crops(picture: np.ndarray) -> Tensor:
    """Crops (n, c, side, side) from all over a image, as networks take them."""
    side = min(CROP_SIZE, *picture.shape[:2])
    tops, lefts = (np.linspace(0, length - side, CROPS_PER_SIDE).astype(int) for length in picture.shape[:2])
    crops = np.stack([picture[top : top + side, left : left + side] for top in tops for left in lefts])
    return to_input(crops)


@torch.no_grad()
def _translate_batch(translation: TranslatorModel, x: Tensor, direction: str, runtime: Runtime) -> np.ndarray:
    with runtime.autocast():
        made = translation.translate(x.to(runtime.device), direction)
    return to_output(made, SampleSpec(shape=tuple(made.shape[1:])), {})
