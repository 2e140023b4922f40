"""Derived inputs: edge drawings, grey, low-resolution and masked images made from images, so that one folder
gives pairs.

All of it is computed from the image at the size in which it is used, and is the same on every start.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

from sparring.core import rng
from sparring.core.progress import ProgressMonitor
from sparring.data import cache
from sparring.data.cache import SampleRow
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.images.resize import PIL_MODES, fit_image
from sparring.data.readers.build_dataset import build_dataset, content_hash

DOWNSAMPLING_FACTOR = 4  # by which `downsampled` shrinks
HOLE_DIVISOR = 2  # a hole's side is this part of the image's
SIGMA_RATIO = 1.6  # of the two Gaussians' widths
EDGE_THRESHOLD, EDGE_STEEPNESS = (
    -0.012,
    60.0,
)  # of a line: how much darker than round it, of 1; how sharply it begins


def edge_drawing(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """A line drawing, uint8 (h, w, 1): black on white, where a pixel is darker than what is round it.

        D = G(sigma) - G(1.6 sigma), the least of all channels;    line = 1 if D >= e else 1 + tanh(phi (D - e))

    with intensities in [0, 1], e = -0.012, phi = 60 and sigma = 0.7 pixels, growing with the square root of the longest side
    above 64 pixels. Ours is the plain difference (the paper's tau = 1, so that flat areas stay white whatever their shade) of each
    channel, so that edges between colours of one brightness are seen.

    References:
        Winnemöller, Kyprianidis & Olsen 2012, "XDoG: An eXtended difference-of-Gaussians compendium including advanced image
        stylization", Computers & Graphics 36(6), equations 1, 4 and 5 (1.6: Marr & Hildreth 1980).
    """
    shown = _blend_on_white(picture).astype(np.float64) / 255
    sigma = 0.7 * max(1.0, max(picture.shape[:2]) / 64) ** 0.5
    difference = (_gaussian_blur(shown, sigma) - _gaussian_blur(shown, SIGMA_RATIO * sigma)).min(
        2, keepdims=True
    )
    line = np.where(
        difference >= EDGE_THRESHOLD, 1, 1 + np.tanh(EDGE_STEEPNESS * (difference - EDGE_THRESHOLD))
    )
    return np.rint(255 * line).astype(np.uint8)


def to_grey(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The brightness 0.299 R + 0.587 G + 0.114 B, uint8 (h, w, 1); transparent images are laid on white."""
    shown = _blend_on_white(picture)
    return np.asarray(_to_pil(shown).convert("L")).reshape(*shown.shape[:2], 1)


def downsample(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The image at a quarter of its size, averaged over all pixels, and enlarged again (bicubic): uint8 (h, w, c)."""
    image = _to_pil(picture)
    small = image.resize(
        (-(-image.width // DOWNSAMPLING_FACTOR), -(-image.height // DOWNSAMPLING_FACTOR)),
        Image.Resampling.BOX,
    )
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC)).reshape(picture.shape)


def mask_square(picture: np.ndarray, number: int = 0) -> np.ndarray:
    """The image with a square hole of half its size: uint8 (h, w, 4), in the hole mid-grey and transparent.

    Transparency is the mask, so that a image with a part erased in any paint program is a fitting input. Where the hole is
    depends on the sample's number alone.

    References:
        Pathak et al. 2016, "Context encoders: feature learning by inpainting", arXiv:1604.07379, section 3.3.
    """
    image = np.array(_to_pil(picture).convert("RGBA"))
    height, width = image.shape[:2]
    draws = rng.make_generator(0, "masked", number)
    side = (max(1, height // HOLE_DIVISOR), max(1, width // HOLE_DIVISOR))
    top, left = _random_corner(draws, height - side[0]), _random_corner(draws, width - side[1])
    image[top : top + side[0], left : left + side[1]] = (128, 128, 128, 0)
    return image


DERIVATIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "edges": edge_drawing,
    "grey": to_grey,
    "downsampled": downsample,
    "masked": mask_square,
}


def _random_corner(draws: torch.Generator, room: int) -> int:
    return int(torch.randint(room + 1, (), generator=draws))


def _to_pil(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else np.ascontiguousarray(picture))
    assert image.mode == PIL_MODES[picture.shape[2]]
    return image


def _blend_on_white(picture: np.ndarray) -> np.ndarray:
    if picture.shape[2] != 4:
        return picture
    alpha = picture[:, :, 3:].astype(np.float64) / 255
    return np.rint(picture[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _gaussian_blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Convolved with a Gaussian, edges repeated."""
    down, across = (_blur_matrix(side, sigma) for side in picture.shape[:2])
    planes: np.ndarray = down @ np.moveaxis(picture, 2, 0) @ across.T
    return np.moveaxis(planes, 0, 2)


@lru_cache(maxsize=8)
def _blur_matrix(length: int, sigma: float) -> np.ndarray:
    """The convolution of a line of pixels as a matrix (length, length)."""
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    matrix = np.zeros((length, length))
    for at in range(length):
        np.add.at(matrix[at], np.clip(at + offsets, 0, length - 1), weights / weights.sum())
    return matrix


DERIVATION_VERSION = 1  # raised when a derivation gives other images


def source_config(config: DataConfig) -> DataConfig:
    """How the images are opened that others are made from."""
    channels = config.channels if config.swap_domains else config.channels_b
    return replace(
        config,
        channels=channels,
        labels=False,
        pairing="one",
        derive_input="",
        source_b="",
        swap_domains=False,
    )


def add_derived_domain(base: Dataset, config: DataConfig, monitor: ProgressMonitor) -> Dataset:
    """Pairs of what is made of each image, and the image (swapped: the other way round).

    What is made is cached as decoded images are, one image at a time.

    Arguments:
        base: the images.
        config: says what is made (`derive_input`), and with how many channels if not as it comes.
    """
    asked = config.channels_b if config.swap_domains else config.channels
    height, width = base.samples.shape[1:3]
    channels = asked or DERIVATIONS[config.derive_input](np.asarray(base.samples[0]), 0).shape[2]
    key = content_hash("derived", DERIVATION_VERSION, base.fingerprint, config.derive_input, channels)

    def rows() -> Iterator[SampleRow]:
        monitor.begin(len(base))
        for number in range(len(base)):
            monitor.step()
            yield (
                number,
                derive_image(np.asarray(base.samples[number]), number, config.derive_input, channels),
                "",
            )

    cached, remark = cache.load_or_build(key, (height, width, channels), rows)
    why = (f"{'B' if config.swap_domains else 'A'} is made of the images: {config.derive_input}", remark)
    report = replace(base.report, remarks=(*base.report.remarks, *(text for text in why if text)))
    derived_config = replace(base.config, channels=channels)
    derived = build_dataset(cached.samples, None, key=key, report=report, config=derived_config)
    a, b = (base, derived) if config.swap_domains else (derived, base)
    return a.replace(domain_b=b, paired=True, report=report)


def derive_image(picture: np.ndarray, number: int, kind: str, channels: int) -> np.ndarray:
    """What is made of one image uint8 (h, w, c): uint8 (h, w, channels).

    Arguments:
        number: of the sample, for what is drawn by chance.
        kind: a name in `derive_image.DERIVATIONS`.
    """
    pixels = DERIVATIONS[kind](picture, number)
    if pixels.shape[2] == channels:
        return pixels
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return fit_image(image, (image.height, image.width), channels, "stretch")
