"""Derived inputs: edge drawings, grey, low-resolution and masked images made from images, so that one folder
gives pairs.

They are computed from the images at the size of the dataset, and are the same on every start.
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
from sparring.data.images.resize import PIL_MODES, fit_image, hide_colours
from sparring.data.readers.build_dataset import build_dataset, content_hash, versioned_channels

DOWNSAMPLING_FACTOR = 4
HOLE_DIVISOR = 2  # side of the image over side of the hole
SIGMA_RATIO = 1.6  # of the two Gaussians' widths
EDGE_THRESHOLD = -0.012  # e: difference of Gaussians, of intensities in [0, 1], below which a line begins
EDGE_STEEPNESS = 60.0  # phi


def edge_drawing(image: np.ndarray, number: int = 0) -> np.ndarray:
    """A line drawing, uint8 (h, w, 1): black on white where a pixel is darker than its surroundings.

        D = G(sigma) - G(1.6 sigma), the minimum over channels;    line = 1 if D >= e else 1 + tanh(phi (D - e))

    with intensities in [0, 1], e = -0.012, phi = 60 and sigma = 0.7 pixels, growing with the square root of the longest side
    above 64 pixels. Deviation: tau = 1, so that flat areas are white at any brightness; and the difference is taken in each
    channel, so that edges between colours of one brightness are drawn.

    References:
        Winnemöller, Kyprianidis & Olsen 2012, "XDoG: An eXtended difference-of-Gaussians compendium including advanced image
        stylization", Computers & Graphics 36(6), equations 1, 4 and 5 (1.6: Marr & Hildreth 1980).
    """
    opaque = _blend_on_white(image).astype(np.float64) / 255
    sigma = 0.7 * max(1.0, max(image.shape[:2]) / 64) ** 0.5
    difference = (_gaussian_blur(opaque, sigma) - _gaussian_blur(opaque, SIGMA_RATIO * sigma)).min(
        2, keepdims=True
    )
    line = np.where(
        difference >= EDGE_THRESHOLD, 1, 1 + np.tanh(EDGE_STEEPNESS * (difference - EDGE_THRESHOLD))
    )
    return np.rint(255 * line).astype(np.uint8)


def to_grey(image: np.ndarray, number: int = 0) -> np.ndarray:
    """The brightness 0.299 R + 0.587 G + 0.114 B, uint8 (h, w, 1); transparent images are blended on white."""
    opaque = _blend_on_white(image)
    return np.asarray(_to_pil(opaque).convert("L")).reshape(*opaque.shape[:2], 1)


def downsample(image: np.ndarray, number: int = 0) -> np.ndarray:
    """The image reduced to a quarter of its size (box filter) and enlarged again (bicubic): uint8 (h, w, c)."""
    full = _to_pil(image)
    small = full.resize(
        (-(-full.width // DOWNSAMPLING_FACTOR), -(-full.height // DOWNSAMPLING_FACTOR)),
        Image.Resampling.BOX,
    )
    return np.asarray(small.resize(full.size, Image.Resampling.BICUBIC)).reshape(image.shape)


def mask_square(image: np.ndarray, number: int = 0) -> np.ndarray:
    """The image with a hole of half its height and width: uint8 (h, w, 4), mid-grey and transparent in the hole.

    Transparency is the mask, so that an image with a part erased in any paint program can be translated. The position of
    the hole depends on `number` alone.

    References:
        Pathak et al. 2016, "Context encoders: feature learning by inpainting", arXiv:1604.07379, section 3.3.
    """
    masked = np.array(_to_pil(image).convert("RGBA"))
    height, width = masked.shape[:2]
    draws = rng.make_generator(0, "masked", number)
    side = (max(1, height // HOLE_DIVISOR), max(1, width // HOLE_DIVISOR))
    top, left = _random_corner(draws, height - side[0]), _random_corner(draws, width - side[1])
    masked[top : top + side[0], left : left + side[1]] = (128, 128, 128, 0)
    return masked


DERIVATIONS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "edges": edge_drawing,
    "grey": to_grey,
    "downsampled": downsample,
    "masked": mask_square,
}


def _random_corner(draws: torch.Generator, room: int) -> int:
    return int(torch.randint(room + 1, (), generator=draws))


def _to_pil(image: np.ndarray) -> Image.Image:
    pil_image = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else np.ascontiguousarray(image))
    assert pil_image.mode == PIL_MODES[image.shape[2]]
    return pil_image


def _blend_on_white(image: np.ndarray) -> np.ndarray:
    if image.shape[2] != 4:
        return image
    alpha = image[:, :, 3:].astype(np.float64) / 255
    return np.rint(image[:, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Convolution with a Gaussian of deviation `sigma` pixels; pixels at the border are repeated."""
    down, across = (_blur_matrix(side, sigma) for side in image.shape[:2])
    planes: np.ndarray = down @ np.moveaxis(image, 2, 0) @ across.T
    return np.moveaxis(planes, 0, 2)


@lru_cache(maxsize=8)
def _blur_matrix(length: int, sigma: float) -> np.ndarray:
    """The convolution of one row of pixels as a matrix (length, length)."""
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    matrix = np.zeros((length, length))
    for at in range(length):
        np.add.at(matrix[at], np.clip(at + offsets, 0, length - 1), weights / weights.sum())
    return matrix


DERIVATION_VERSION = 1  # raised when a derivation gives other images


def source_config(config: DataConfig) -> DataConfig:
    """The settings with which the images are opened from which the other domain is derived."""
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
    """Pairs of a derived image (A) and the image (B); with `swap_domains` the other way round.

    Derived images are cached as decoded images are.

    Arguments:
        base: the images.
        config: `derive_input` is the derivation; `channels` of the derived domain, None for those that it returns.
        monitor: counts the images and polls for a stop.
    """
    channels_setting = config.channels_b if config.swap_domains else config.channels
    height, width = base.samples.shape[1:3]
    channels = channels_setting or DERIVATIONS[config.derive_input](np.asarray(base.samples[0]), 0).shape[2]
    key = content_hash(
        "derived", DERIVATION_VERSION, base.fingerprint, config.derive_input, versioned_channels(channels)
    )

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
    domain = "B" if config.swap_domains else "A"
    why = (f"{domain} is derived from the images: {config.derive_input}", remark)
    report = replace(base.report, why=(*base.report.why, *(text for text in why if text)))
    derived_config = replace(base.config, channels=channels)
    derived = build_dataset(cached.samples, None, key=key, report=report, config=derived_config)
    a, b = (base, derived) if config.swap_domains else (derived, base)
    return a.replace(domain_b=b, paired=True, report=report)


def derive_image(image: np.ndarray, number: int, kind: str, channels: int) -> np.ndarray:
    """Derive an image uint8 (h, w, channels) from an image uint8 (h, w, c).

    Arguments:
        number: index of the sample, which keys what is random.
        kind: a key of `DERIVATIONS`.
        channels: of the result: 1, 3 or 4.
    """
    pixels = DERIVATIONS[kind](image, number)
    if pixels.shape[2] == channels:
        return hide_colours(pixels)
    return fit_image(_to_pil(pixels), (pixels.shape[0], pixels.shape[1]), channels, "stretch")
