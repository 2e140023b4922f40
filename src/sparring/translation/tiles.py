"""One picture through a translator, whole or in overlapping tiles without seams.

A tile by itself would be normalised by its own mean and variance, and neighbours would differ in tone. So these are measured once,
on crops from all over the picture, and hold for all of its tiles. Where tiles overlap they are blended, with weights that rise
linearly from their edges. Only one row of tiles is in memory as floating-point numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.data import to_input, to_output
from sparring.errors import ConfigError
from sparring.games.translation import Translation
from sparring.runtime import Runtime
from sparring.shapes import Spec
from sparring.translators.norm import fixed_statistics

CROPS = 3  # a side: statistics are measured on so many times so many crops
CROP_SIDE = 192
BATCH_PIXELS = 262_144  # of the tiles that are translated at once


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How large pictures are taken apart.

    Arguments:
        side: of a tile, in pixels; pictures of at most this height and width are translated whole.
        overlap: of neighbours, in pixels, at least.
    """

    side: int = 512
    overlap: int = 64

    def __post_init__(self) -> None:
        if not (16 <= self.side <= 4096 and 0 < self.overlap <= self.side // 2):
            raise ConfigError(
                f"tiles of {self.side} pixels that overlap by {self.overlap}",
                "16 to 4096 pixels, and an overlap of at most half of that",
                "leave them out: 512 and 64",
            )


def whole(translation: Translation, pictures: np.ndarray, direction: str, runtime: Runtime) -> np.ndarray:
    """Pictures uint8 (n, h, w, c) of one size, each translated whole: uint8 (n, h, w, c')."""
    return _translated(translation, to_input(pictures), direction, runtime)


def tiled(
    translation: Translation, picture: np.ndarray, direction: str, tiling: Tiling, runtime: Runtime
) -> np.ndarray:
    """A large picture uint8 (h, w, c), tile by tile: uint8 (h, w, c')."""
    height, width = picture.shape[:2]
    sides = min(tiling.side, height), min(tiling.side, width)
    tops, lefts = starts(height, sides[0], tiling.overlap), starts(width, sides[1], tiling.overlap)
    down, across = ramp(sides[0], tiling.overlap), ramp(sides[1], tiling.overlap)
    made = np.empty((height, width, translation.ends(direction)[1][0]), np.uint8)
    rows = np.zeros((sides[0], width, made.shape[2]), np.float32)
    weights = np.zeros(sides[0], np.float32)
    network = translation.network(direction)
    with torch.no_grad(), fixed_statistics(network, _crops(picture).to(runtime.device)):
        for top, following in zip(tops, [*tops[1:], height], strict=True):
            band = picture[top : top + sides[0]]
            rows += _row(translation, band, direction, lefts, across, runtime) * down[:, None, None]
            weights += down
            done = following - top
            made[top:following] = (rows[:done] / weights[:done, None, None] + 0.5).astype(np.uint8)
            for held in (rows, weights):
                held[: len(held) - done] = held[done:].copy()
                held[len(held) - done :] = 0
    return made


def starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles begin, evenly, from edge to edge.

    >>> starts(1000, 512, 64), starts(300, 300, 64)
    ([0, 244, 488], [0])
    """
    count = 1 if length <= side else -(-(length - overlap) // (side - overlap))
    return [round(at) for at in np.linspace(0, length - side, count)]


def ramp(side: int, overlap: int) -> np.ndarray:
    """Weights of a tile's rows (side,): 1 inside, falling towards both edges."""
    at = np.arange(side)
    edge = np.minimum(at, side - 1 - at) + 1
    return (np.minimum(edge, overlap) / overlap).astype(np.float32)


def _row(
    translation: Translation,
    band: np.ndarray,
    direction: str,
    lefts: list[int],
    across: np.ndarray,
    runtime: Runtime,
) -> np.ndarray:
    """A row of tiles, blended: float32 (side, width, c')."""
    total, weights = None, np.zeros(band.shape[1], np.float32)
    for left, tile in _tiles(translation, band, direction, lefts, len(across), runtime):
        if total is None:
            total = np.zeros((*band.shape[:2], tile.shape[2]), np.float32)
        total[:, left : left + len(across)] += tile * across[None, :, None]
        weights[left : left + len(across)] += across
    assert total is not None
    return total / weights[None, :, None]


def _tiles(
    translation: Translation, band: np.ndarray, direction: str, lefts: list[int], side: int, runtime: Runtime
) -> Iterator[tuple[int, np.ndarray]]:
    at_once = max(1, BATCH_PIXELS // (side * band.shape[0]))
    for first in range(0, len(lefts), at_once):
        some = lefts[first : first + at_once]
        pictures = np.stack([band[:, left : left + side] for left in some])
        yield from zip(some, whole(translation, pictures, direction, runtime), strict=True)


def _crops(picture: np.ndarray) -> Tensor:
    """Crops (n, c, side, side) from all over a picture, as networks take them."""
    side = min(CROP_SIDE, *picture.shape[:2])
    tops, lefts = (np.linspace(0, length - side, CROPS).astype(int) for length in picture.shape[:2])
    crops = np.stack([picture[top : top + side, left : left + side] for top in tops for left in lefts])
    return to_input(crops)


@torch.no_grad()
def _translated(translation: Translation, x: Tensor, direction: str, runtime: Runtime) -> np.ndarray:
    with runtime.autocast():
        made = translation.translate(x.to(runtime.device), direction)
    return to_output(made, Spec(shape=tuple(made.shape[1:])), {})
