"""Pictures made from pictures, so that a folder of one kind is enough: for drawing -> picture, grey -> colour, coarse -> fine, and
to fill holes.

All of it is computed from the picture at the size in which it is dealt, and is the same on every start.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

from sparring import keyed
from sparring.data.fit import MODES

FACTOR = 4  # by which `downsampled` shrinks
HOLE = 2  # a hole's side is this part of the picture's
RATIO = 1.6  # of the two Gaussians' widths
THRESHOLD, STEEPNESS = -0.012, 60.0  # of a line: how much darker than round it, of 1; how sharply it begins


def edges(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """A line drawing, uint8 (h, w, 1): black on white, where a pixel is darker than what is round it.

        D = G(sigma) - G(1.6 sigma), the least of all channels;    line = 1 if D >= e else 1 + tanh(phi (D - e))

    with intensities in [0, 1], e = -0.012, phi = 60 and sigma = 0.7 pixels, growing with the square root of the longest side
    above 64 pixels. Ours is the plain difference (the paper's tau = 1, so that flat areas stay white whatever their shade) of each
    channel, so that edges between colours of one brightness are seen.

    References:
        Winnemöller, Kyprianidis & Olsen 2012, "XDoG: An eXtended difference-of-Gaussians compendium including advanced image
        stylization", Computers & Graphics 36(6), equations 1, 4 and 5 (1.6: Marr & Hildreth 1980).
    """
    shown = _on_white(picture).astype(np.float64) / 255
    sigma = 0.7 * max(1.0, max(picture.shape[:2]) / 64) ** 0.5
    difference = (_blurred(shown, sigma) - _blurred(shown, RATIO * sigma)).min(2, keepdims=True)
    line = np.where(difference >= THRESHOLD, 1, 1 + np.tanh(STEEPNESS * (difference - THRESHOLD)))
    return np.rint(255 * line).astype(np.uint8)


def grey(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The brightness 0.299 R + 0.587 G + 0.114 B, uint8 (h, w, 1); transparent pictures are laid on white."""
    shown = _on_white(picture)
    return np.asarray(_image(shown).convert("L")).reshape(*shown.shape[:2], 1)


def downsampled(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The picture at a quarter of its size, averaged over all pixels, and enlarged again (bicubic): uint8 (h, w, c)."""
    image = _image(picture)
    small = image.resize((-(-image.width // FACTOR), -(-image.height // FACTOR)), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC)).reshape(picture.shape)


def masked(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The picture with a square hole of half its size: uint8 (h, w, 4), in the hole mid-grey and transparent.

    Transparency is the mask, so that a picture with a part erased in any paint program is a fitting input. Where the hole is
    depends on the sample's number alone.

    References:
        Pathak et al. 2016, "Context encoders: feature learning by inpainting", arXiv:1604.07379, section 3.3.
    """
    image = np.array(_image(picture).convert("RGBA"))
    height, width = image.shape[:2]
    draws = keyed.generator(0, "masked", number)
    side = (max(1, height // HOLE), max(1, width // HOLE))
    top, left = _corner(draws, height - side[0]), _corner(draws, width - side[1])
    image[top : top + side[0], left : left + side[1]] = (128, 128, 128, 0)
    return image


DERIVATIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "edges": edges,
    "grey": grey,
    "downsampled": downsampled,
    "masked": masked,
}


def _corner(draws: torch.Generator, room: int) -> int:
    return int(torch.randint(room + 1, (), generator=draws))


def _image(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else np.ascontiguousarray(picture))
    assert image.mode == MODES[picture.shape[2]]
    return image


def _on_white(picture: np.ndarray) -> np.ndarray:
    if picture.shape[2] != 4:
        return picture
    alpha = picture[:, :, 3:].astype(np.float64) / 255
    return np.rint(picture[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Convolved with a Gaussian, edges repeated."""
    down, across = (_spread(side, sigma) for side in picture.shape[:2])
    planes: np.ndarray = down @ np.moveaxis(picture, 2, 0) @ across.T
    return np.moveaxis(planes, 0, 2)


@lru_cache(maxsize=8)
def _spread(length: int, sigma: float) -> np.ndarray:
    """The convolution of a line of pixels as a matrix (length, length)."""
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    matrix = np.zeros((length, length))
    for at in range(length):
        np.add.at(matrix[at], np.clip(at + offsets, 0, length - 1), weights / weights.sum())
    return matrix
