"""Label maps of random polygons and textured scenes of them: a paired dataset whose ground truth is known.
(keep the rest of the old docstring)
"""

import math

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.data.synthetic.textures import TEXTURE_NAMES, render_scenes

LABEL_COLOURS = np.array(
    [[230, 60, 50], [250, 190, 60], [60, 90, 220], [70, 200, 230], [50, 150, 60], [170, 60, 190]], np.uint8
)
POLYGONS, CORNERS, TEXTURE_PARAMETERS = (
    9,
    5,
    12,
)  # of a image, of a polygon, and random numbers for a class's texture
CHUNK_SIZE = 250  # images drawn at once


def generate_scenes(
    count: int, size: tuple[int, int] = (64, 64), *, seed: int = 0, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Maps uint8 (count, h, w) of classes and their scenes uint8 (count, h, w, 3).

    Image i depends on `(seed, first + i)` and the size alone.

    Arguments:
        size: height and width in pixels, at least 8 each. Textures have a period of 5 to 9 pixels at any size.
        first: number of the first image, so that a test split can go on where training ended.

    >>> maps, scenes = generate_scenes(2, (16, 24))
    >>> maps.shape, scenes.shape, bool((generate_scenes(1, (16, 24), first=1)[1] == scenes[1:]).all())
    ((2, 16, 24), (2, 16, 24, 3), True)
    """
    if count < 1 or min(size) < 8 or first < 0:
        raise ConfigError(
            f"{count} images of {size[0]}x{size[1]} from number {first}",
            "one or more images of 8x8 or more, from 0 on",
            "ask for more or larger ones",
        )
    blocks = [
        _generate_chunk(range(start, min(start + CHUNK_SIZE, first + count)), size, seed)
        for start in range(first, first + count, CHUNK_SIZE)
    ]
    return np.concatenate([maps for maps, _ in blocks]), np.concatenate([scenes for _, scenes in blocks])


def encode_colours(maps: np.ndarray) -> np.ndarray:
    """Maps of classes (n, h, w) as images uint8 (n, h, w, 3): one colour of `LABEL_COLOURS` a class."""
    return LABEL_COLOURS[maps]


def decode_colours(pictures: np.ndarray) -> np.ndarray:
    """The class whose colour in `LABEL_COLOURS` is nearest to each pixel: uint8 (n, h, w) of images uint8 (n, h, w, 3).

    >>> maps = generate_scenes(1)[0]
    >>> bool((decode_colours(encode_colours(maps)) == maps).all())
    True
    """
    pixels = pictures.astype(np.int32)
    gaps = np.stack([np.square(pixels - colour).sum(-1) for colour in LABEL_COLOURS.astype(np.int32)])
    return gaps.argmin(0).astype(np.uint8)


def _generate_chunk(numbers: range, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    shape, style, grain = (
        _uniform_draws(seed, f"polygons/{name}", numbers, wanted)
        for name, wanted in (
            ("shape", (POLYGONS, 5 + CORNERS)),
            ("style", (1 + len(TEXTURE_NAMES), TEXTURE_PARAMETERS)),
            ("grain", (2, *size)),
        )
    )
    maps = _draw_maps(shape, size)
    return maps, render_scenes(maps, style, grain)


def _uniform_draws(seed: int, stream: str, numbers: range, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers on [0, 1), float32 (n, *shape); row i depends on its number alone."""
    rows = [torch.rand(shape, generator=rng.make_generator(seed, stream, number)) for number in numbers]
    return torch.stack(rows).numpy()


def _draw_maps(shape: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Polygons painted one over the other; the first one of each image is the ground below all.

    A polygon is the set of all points p with (p - centre) . n_j <= r for its normals n_j, 5 of them about evenly spaced.
    """
    down, right = np.meshgrid(*(np.linspace(-1, 1, side, dtype=np.float32) for side in size), indexing="ij")
    classes = (shape[..., 0] * len(TEXTURE_NAMES)).astype(np.uint8)
    maps = np.broadcast_to(classes[:, 0, None, None], (len(shape), *size)).copy()
    for number in range(1, POLYGONS):
        values = shape[:, number, :, None, None]
        from_centre = down - (2 * values[:, 1] - 1), right - (2 * values[:, 2] - 1)
        outward = np.full(maps.shape, -np.inf, np.float32)
        for corner in range(CORNERS):
            angle = 2 * math.pi * (corner + values[:, 3] + 0.8 * values[:, 4 + corner]) / CORNERS
            np.maximum(outward, np.sin(angle) * from_centre[0] + np.cos(angle) * from_centre[1], out=outward)
        radius = 0.2 + 0.3 * (1 - number / POLYGONS) + 0.2 * values[:, 4 + CORNERS]
        inside = outward <= radius
        maps[inside] = np.broadcast_to(classes[:, number, None, None], maps.shape)[inside]
    return maps
