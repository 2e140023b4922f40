"""Decode an image file: from bytes to an upright 8-bit image in mode L, LA, RGB or RGBA.

Only six formats are ever opened, and size limits are checked from the header, before anything is decoded.
16-bit, 32-bit and float grey, palettes and CMYK are converted to 8 bits; the EXIF orientation is applied; the
colour profile is ignored. Of animations the first frame is taken.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import (
    Image,
    ImageChops,
)

from sparring.core.errors import InvalidImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
SIGNATURES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"RIFF",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
)
ANIMATED_FORMATS = ("GIF", "WEBP", "PNG")
LIMIT_PIXELS = 64_000_000
LIMIT_BYTES = 256 * 2**20
MAX_COMPRESSION_RATIO = 1100  # the most that deflate achieves; a file that claims more is damaged or a bomb
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """The header of an image.

    Arguments:
        height, width: after EXIF rotation, in pixels.
        mode: Pillow's pixel format, such as `L`, `RGB`, `I;16`, `P`.
        colour, alpha: whether the format can hold colours, and transparency.
    """

    height: int
    width: int
    mode: str
    colour: bool
    alpha: bool


def read_header(data: bytes) -> tuple[ImageHeader, Image.Image]:
    """Read the header only; the image, opened but not decoded, is for `decode`.

    Raises:
        InvalidImageError: not an image, a format that is not opened, or too large.
    """
    return _translate_errors(lambda: _read_header(data))


def decode(data: bytes | Image.Image) -> tuple[Image.Image, str]:
    """Decode an image: upright, in mode L, LA, RGB or RGBA; and the conversions that were made (or "").

    Arguments:
        data: content of a file, or the image that `read_header` returned.

    Raises:
        InvalidImageError: damaged, truncated, not an image, or too large.
    """
    return _translate_errors(lambda: _decode(data))


def _translate_errors(work: Callable[[], T]) -> T:
    """Run a decoder; any error it raises becomes an InvalidImageError, as decoders' errors have no common base class."""
    try:
        return work()
    except InvalidImageError:
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError("too large to decode safely") from error
    except MemoryError as error:
        raise InvalidImageError("needs more memory than there is") from error
    except Exception as error:
        raise InvalidImageError(_failure_reason(error)) from error


def _failure_reason(error: Exception) -> str:
    text = str(error).split("<_io")[0].strip()
    if "truncated" in text or "Truncated" in text or isinstance(error, EOFError):
        return "truncated"
    return f"damaged ({type(error).__name__}: {text[:80]})" if text else f"damaged ({type(error).__name__})"


def _open_image(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImageError("empty file")
    if not data.startswith(SIGNATURES):
        raise InvalidImageError("not an image (" + ", ".join(FORMATS) + " are read)")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > LIMIT_PIXELS:
        raise InvalidImageError(f"{width}x{height} is more than {LIMIT_PIXELS // 10**6} million pixels")
    return image


def _read_header(data: bytes) -> tuple[ImageHeader, Image.Image]:
    image = _open_image(data)
    width, height = image.size
    if read_orientation(image, loaded=False) >= 5:
        width, height = height, width
    mode, transparent = image.mode, "transparency" in image.info
    alpha = mode in ("LA", "RGBA", "PA", "La", "RGBa") or (transparent and mode in ("1", "L", "RGB", "P"))
    colour = mode not in ("1", "L", "LA", "La", "I", "F") and not mode.startswith("I;16")
    colour = colour and not _is_grey_palette(image)
    return ImageHeader(height=height, width=width, mode=mode, colour=colour, alpha=alpha), image


def _is_grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA") or image.palette is None:
        return False
    palette = np.asarray(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    return len(palette) > 0 and bool((palette == palette[:, :1]).all())


def _decode(data: bytes | Image.Image) -> tuple[Image.Image, str]:
    image = _open_image(data) if isinstance(data, bytes) else data
    # before load(), because is_animated seeks to the second frame of a GIF and back
    notes = (
        ["first frame taken"]
        if image.format in ANIMATED_FORMATS and getattr(image, "is_animated", False)
        else []
    )
    image.load()
    orientation = read_orientation(image, loaded=True)
    plain, note = to_8bit(image)
    if note:
        notes.append(note)
    if orientation in ORIENTATION_TRANSFORMS:
        plain = plain.transpose(ORIENTATION_TRANSFORMS[orientation])
        notes.append(f"turned upright (EXIF {orientation})")
    return plain, ", ".join(notes)


OUTPUT_MODES = ("L", "LA", "RGB", "RGBA")


def to_8bit(image: Image.Image) -> tuple[Image.Image, str]:
    """A loaded image in mode L, LA, RGB or RGBA, and the conversion that was made (or "").

    - 16-bit grey is divided by 257, so that 65535 becomes 255; 16-bit colour keeps its upper byte.
    - 32-bit and float grey: see `grey_to_uint8`.
    - A palette becomes grey, RGB or RGBA; one bit becomes 0 and 255.
    - CMYK becomes R = (1 - C)(1 - K); JPEGs hold it inverted where Adobe's marker says so, and only there.
    """
    mode = image.mode
    if mode in ("I", "F") or mode.startswith("I;16"):
        pixels = np.asarray(image.convert("I") if mode in ("I;16B", "I;16L", "I;16N") else image)
        sixteen = mode.startswith("I;16") or (mode == "I" and image.format == "PNG")
        grey = _divide_to_uint8(pixels, 257) if sixteen else grey_to_uint8(pixels)
        return Image.fromarray(
            grey
        ), f"{'16-bit' if sixteen else '32-bit' if mode == 'I' else 'float'} grey to 8 bits"
    if mode in ("P", "PA"):
        return _convert_palette(image), ""
    if "transparency" in image.info and mode in ("1", "L", "RGB"):
        base = image if mode == "RGB" else image.convert("L")
        if mode == "1":
            base.info.pop("transparency", None)
            return base, "one-bit image's transparent colour ignored"
        return base.convert("RGBA" if mode == "RGB" else "LA"), "transparent colour to alpha"
    if mode in OUTPUT_MODES:
        return image, ""
    if mode == "CMYK":
        adobe = image.format != "JPEG" or "adobe" in image.info
        return (image if adobe else ImageChops.invert(image)).convert("RGB"), "CMYK to RGB"
    target = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
    return image.convert(target), "" if mode == "1" else f"{mode} to {target}"


def _convert_palette(image: Image.Image) -> Image.Image:
    if image.mode == "PA" or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def grey_to_uint8(values: np.ndarray) -> np.ndarray:
    """Grey values of unknown range as uint8, of the same shape.

    The range is the smallest of these that contains them: [0, 1] and [-1, 1] (floats only), [0, 255],
    [0, 65535], [0, 2^32 - 1].

    >>> grey_to_uint8(np.array([0.0, 0.5, 1.0])), grey_to_uint8(np.array([0.0, 65535.0]))
    (array([  0, 128, 255], dtype=uint8), array([  0, 255], dtype=uint8))

    Raises:
        InvalidImageError: values that are not finite, or in none of these ranges.
    """
    if not np.isfinite(values).all():
        raise InvalidImageError("holds values that are not finite")
    low, high = float(values.min()), float(values.max())
    offset, gain = value_range(low, high, floating=values.dtype.kind == "f")
    return scale_to_uint8(values, offset, gain)


def value_range(low: float, high: float, *, floating: bool) -> tuple[float, float]:
    """(offset, gain) such that (value + offset) * gain is in [0, 255], given the lowest and highest value.

    Raises:
        InvalidImageError: the values are in no range that images have.
    """
    slack = 1e-3 if floating else 0.0
    if floating and low >= -slack and high <= 1 + slack:
        return 0.0, 255.0
    if floating and low >= -1 - slack and high <= 1 + slack:
        return 1.0, 127.5
    for top in (255, 65535, 2**32 - 1):
        if low >= 0 and high <= top:
            return 0.0, 255 / top
    raise InvalidImageError(f"values from {low:g} to {high:g} are in no range that images have")


def scale_to_uint8(values: np.ndarray, offset: float, gain: float) -> np.ndarray:
    """(value + offset) * gain, rounded to uint8."""
    wide: np.ndarray = values.astype(np.float64)
    return np.clip(np.rint((wide + offset) * gain), 0, 255).astype(np.uint8)


def _divide_to_uint8(values: np.ndarray, by: int) -> np.ndarray:
    return np.clip((values.astype(np.int64) + by // 2) // by, 0, 255).astype(np.uint8)


EXIF_ORIENTATION = 0x0112
ORIENTATION_TRANSFORMS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_orientation(image: Image.Image, *, loaded: bool) -> int:
    """EXIF orientation 1 to 8; 1 for TIFF, which Pillow rotates itself.

    Arguments:
        loaded: whether the image is decoded; before that, the EXIF data of a PNG may not be known.
    """
    if image.format == "TIFF" or (image.format == "PNG" and not loaded and "exif" not in image.info):
        return 1
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF data is no reason to lose the image
        return 1
