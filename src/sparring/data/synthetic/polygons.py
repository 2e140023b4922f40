"""Label maps of random polygons and textured scenes of them: a paired world in which the truth is known.

Going from scene to map has one right answer. Going from map to scene has many: the phase of each texture, its exact
colours, the light and the grain are drawn anew for each picture, so what minimises the absolute error is a map's median
scene, which has no texture. The six classes come in three pairs of one mean colour each, so that a judge who knows scenes
tells the two of a pair by their texture alone: this is what separates a translator that draws textures from one that
blurs, as the labels of Cityscapes do in table 1 of pix2pix.

References:
    Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", arXiv 1611.07004, section 4
        (the experiment, with streets instead of polygons).
    Lucic et al. 2018, "Are GANs created equal?", arXiv 1711.10337, section 5 (convex polygons as a set that can be judged).
"""

import math

import numpy as np
import torch

from sparring import keyed
from sparring.data.synthetic.textures import KINDS, scene
from sparring.errors import ConfigError

CODE = np.array(
    [[230, 60, 50], [250, 190, 60], [60, 90, 220], [70, 200, 230], [50, 150, 60], [170, 60, 190]], np.uint8
)
POLYGONS, CORNERS, NUMBERS = 9, 5, 12  # of a picture, of a polygon, and random numbers for a class's texture
BLOCK = 250  # pictures drawn at once


def draw(
    count: int, size: tuple[int, int] = (64, 64), *, seed: int = 0, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Maps uint8 (count, h, w) of classes and their scenes uint8 (count, h, w, 3).

    Picture i depends on `(seed, first + i)` and the size alone.

    Arguments:
        size: height and width in pixels, at least 8 each. Textures have a period of 5 to 9 pixels at any size.
        first: number of the first picture, so that a test split can go on where training ended.

    >>> maps, scenes = draw(2, (16, 24))
    >>> maps.shape, scenes.shape, bool((draw(1, (16, 24), first=1)[1] == scenes[1:]).all())
    ((2, 16, 24), (2, 16, 24, 3), True)
    """
    if count < 1 or min(size) < 8 or first < 0:
        raise ConfigError(
            f"{count} pictures of {size[0]}x{size[1]} from number {first}",
            "one or more pictures of 8x8 or more, from 0 on",
            "ask for more or larger ones",
        )
    blocks = [
        _block(range(start, min(start + BLOCK, first + count)), size, seed)
        for start in range(first, first + count, BLOCK)
    ]
    return np.concatenate([maps for maps, _ in blocks]), np.concatenate([scenes for _, scenes in blocks])


def colour_code(maps: np.ndarray) -> np.ndarray:
    """Maps of classes (n, h, w) as pictures uint8 (n, h, w, 3): one colour of `CODE` a class."""
    return CODE[maps]


def read_code(pictures: np.ndarray) -> np.ndarray:
    """The class whose colour in `CODE` is nearest to each pixel: uint8 (n, h, w) of pictures uint8 (n, h, w, 3).

    >>> maps = draw(1)[0]
    >>> bool((read_code(colour_code(maps)) == maps).all())
    True
    """
    pixels = pictures.astype(np.int32)
    gaps = np.stack([np.square(pixels - colour).sum(-1) for colour in CODE.astype(np.int32)])
    return gaps.argmin(0).astype(np.uint8)


def _block(numbers: range, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    shape, style, grain = (
        _uniform(seed, f"polygons/{name}", numbers, wanted)
        for name, wanted in (
            ("shape", (POLYGONS, 5 + CORNERS)),
            ("style", (1 + len(KINDS), NUMBERS)),
            ("grain", (2, *size)),
        )
    )
    maps = _maps(shape, size)
    return maps, scene(maps, style, grain)


def _uniform(seed: int, stream: str, numbers: range, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers on [0, 1), float32 (n, *shape); row i depends on its number alone."""
    rows = [torch.rand(shape, generator=keyed.generator(seed, stream, number)) for number in numbers]
    return torch.stack(rows).numpy()


def _maps(shape: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Polygons painted one over the other; the first one of each picture is the ground below all.

    A polygon is the set of all points p with (p - centre) . n_j <= r for its normals n_j, 5 of them about evenly spaced.
    """
    down, right = np.meshgrid(*(np.linspace(-1, 1, side, dtype=np.float32) for side in size), indexing="ij")
    classes = (shape[..., 0] * len(KINDS)).astype(np.uint8)
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
