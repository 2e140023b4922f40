"""Label maps of random polygons and textured scenes of them: a paired dataset whose ground truth is known.

From scene to map there is one right answer. From map to scene there are many: the phase of each texture, its exact
colours, the light and the grain are drawn anew for each image, so the minimiser of the absolute error is the median
scene of a map, which has no texture. The six classes come in three pairs of equal mean colour, so that the two classes
of a pair can be told apart by their texture alone. This separates a translator that generates textures from one that
blurs, as the labels of Cityscapes do in table 1 of pix2pix.

References:
    Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", arXiv 1611.07004, section 4
        (the experiment, with streets instead of polygons).
    Lucic et al. 2018, "Are GANs created equal?", arXiv 1711.10337, section 5 (convex polygons as a dataset with a
        known ground truth).
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
POLYGONS, CORNERS = 9, 5  # polygons of an image, corners of a polygon
TEXTURE_PARAMETERS = 12  # random numbers for the texture of a class
CHUNK_SIZE = 250  # images generated at once


def generate_scenes(
    count: int, size: tuple[int, int] = (64, 64), *, seed: int = 0, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Label maps uint8 (count, h, w) and their scenes uint8 (count, h, w, 3).

    Image i depends on `(seed, first + i)` and the size alone.

    Arguments:
        count: number of images, at least 1.
        size: height and width in pixels, at least 8 each. Textures have a period of 5 to 9 pixels at any size.
        seed: of the random numbers.
        first: index of the first image, so that a test split can start where the training split ends.

    Raises:
        ConfigError: an argument is out of range.

    >>> maps, scenes = generate_scenes(2, (16, 24))
    >>> maps.shape, scenes.shape, bool((generate_scenes(1, (16, 24), first=1)[1] == scenes[1:]).all())
    ((2, 16, 24), (2, 16, 24, 3), True)
    """
    if count < 1 or min(size) < 8 or first < 0:
        raise ConfigError(
            f"{count} images of {size[0]}x{size[1]} from number {first}",
            "one or more images of 8x8 or more, from 0 on",
            "choose more or larger images",
        )
    chunks = [
        _generate_chunk(range(start, min(start + CHUNK_SIZE, first + count)), size, seed)
        for start in range(first, first + count, CHUNK_SIZE)
    ]
    return np.concatenate([maps for maps, _ in chunks]), np.concatenate([scenes for _, scenes in chunks])


def encode_colours(maps: np.ndarray) -> np.ndarray:
    """Label maps (n, h, w) as images uint8 (n, h, w, 3), with one colour of `LABEL_COLOURS` per class."""
    return LABEL_COLOURS[maps]


def decode_colours(images: np.ndarray) -> np.ndarray:
    """The class whose colour in `LABEL_COLOURS` is nearest to each pixel: uint8 (n, h, w) of images uint8 (n, h, w, 3).

    >>> maps = generate_scenes(1)[0]
    >>> bool((decode_colours(encode_colours(maps)) == maps).all())
    True
    """
    pixels = images.astype(np.int32)
    distances = np.stack([np.square(pixels - colour).sum(-1) for colour in LABEL_COLOURS.astype(np.int32)])
    return distances.argmin(0).astype(np.uint8)


def _generate_chunk(numbers: range, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    shape, style, grain = (
        _uniform_draws(seed, f"polygons/{name}", numbers, size_of_draw)
        for name, size_of_draw in (
            ("shape", (POLYGONS, 5 + CORNERS)),
            ("style", (1 + len(TEXTURE_NAMES), TEXTURE_PARAMETERS)),
            ("grain", (2, *size)),
        )
    )
    maps = _draw_maps(shape, size)
    return maps, render_scenes(maps, style, grain)


def _uniform_draws(seed: int, stream: str, numbers: range, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform numbers in [0, 1), float32 (n, *shape); row i depends on seed, stream and `numbers[i]` alone."""
    rows = [torch.rand(shape, generator=rng.make_generator(seed, stream, number)) for number in numbers]
    return torch.stack(rows).numpy()


def _draw_maps(shape: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Label maps uint8 (n, *size) of polygons painted over each other; the first of an image is its background.

    A polygon is the set of points p with (p - centre) . n_j <= r for all of its 5 normals n_j, about evenly spaced.
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
