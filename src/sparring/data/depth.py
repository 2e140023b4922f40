"""From any pixel format to 8 bits of grey or colour, without the white pictures of a plain conversion."""

import numpy as np
from PIL import Image, ImageChops

from sparring.errors import InvalidImageError

PLAIN = ("L", "LA", "RGB", "RGBA")


def narrowed(image: Image.Image) -> tuple[Image.Image, str]:
    """The loaded picture in mode L, LA, RGB or RGBA, and what was done to it (or "").

    - 16-bit grey is divided by 257, so that 65535 becomes 255; 16-bit colour keeps its upper byte.
    - 32-bit and float grey: see `eight_bits`.
    - A palette becomes grey, RGB or RGBA; one bit becomes 0 and 255.
    - CMYK becomes R = (1 - C)(1 - K); JPEGs hold it inverted where Adobe's marker says so, and only there.
    """
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        pixels = np.asarray(image.convert("I") if mode in ("I;16B", "I;16L", "I;16N") else image)
        sixteen = mode.startswith("I;16") or (mode == "I" and image.format == "PNG")
        grey = _divided(pixels, 257) if sixteen else eight_bits(pixels)
        return Image.fromarray(
            grey
        ), f"{'16-bit' if sixteen else '32-bit' if mode == 'I' else 'float'} grey to 8 bits"
    if mode in ("P", "PA"):
        return _from_palette(image), ""
    if "transparency" in image.info and mode in ("1", "L", "RGB"):
        base = image if mode == "RGB" else image.convert("L")
        if mode == "1":
            base.info.pop("transparency", None)
            return base, "one-bit picture's transparent colour ignored"
        return base.convert("RGBA" if mode == "RGB" else "LA"), "transparent colour to alpha"
    if mode in PLAIN:
        return image, ""
    if mode == "CMYK":
        adobe = image.format != "JPEG" or "adobe" in image.info
        return (image if adobe else ImageChops.invert(image)).convert("RGB"), "CMYK to RGB"
    target = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
    return image.convert(target), "" if mode == "1" else f"{mode} to {target}"


def _from_palette(image: Image.Image) -> Image.Image:
    if image.mode == "PA" or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Grey values of unknown range as uint8, of the same shape.

    The range is the smallest of these that holds them: [0, 1] and [-1, 1] (floats only), [0, 255],
    [0, 65535], [0, 2^32 - 1].

    >>> eight_bits(np.array([0.0, 0.5, 1.0])), eight_bits(np.array([0.0, 65535.0]))
    (array([  0, 128, 255], dtype=uint8), array([  0, 255], dtype=uint8))

    Raises:
        InvalidImageError: not finite, or in none of these ranges.
    """
    if not np.isfinite(values).all():
        raise InvalidImageError("holds values that are not finite")
    low, high = float(values.min()), float(values.max())
    offset, gain = value_range(low, high, floating=values.dtype.kind == "f")
    return scaled(values, offset, gain)


def value_range(low: float, high: float, *, floating: bool) -> tuple[float, float]:
    """(offset, gain) such that (value + offset) * gain is in [0, 255], from the lowest and highest value."""
    slack = 1e-3 if floating else 0.0
    if floating and low >= -slack and high <= 1 + slack:
        return 0.0, 255.0
    if floating and low >= -1 - slack and high <= 1 + slack:
        return 1.0, 127.5
    for top in (255, 65535, 2**32 - 1):
        if low >= 0 and high <= top:
            return 0.0, 255 / top
    raise InvalidImageError(f"values from {low:g} to {high:g} are in no range that pictures have")


def scaled(values: np.ndarray, offset: float, gain: float) -> np.ndarray:
    """(value + offset) * gain, rounded to uint8."""
    wide: np.ndarray = values.astype(np.float64)
    return np.clip(np.rint((wide + offset) * gain), 0, 255).astype(np.uint8)


def _divided(values: np.ndarray, by: int) -> np.ndarray:
    return np.clip((values.astype(np.int64) + by // 2) // by, 0, 255).astype(np.uint8)
