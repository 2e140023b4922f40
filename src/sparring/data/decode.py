"""From the bytes of one picture file to a picture that is upright, 8 bits deep and grey or coloured.

Only six formats are ever opened, and size limits are checked from the header, before anything is decoded. The file's
colour profile is ignored. Of animations the first frame is taken.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import (
    BmpImagePlugin,  # noqa: F401  importing a plugin is what lets Image.open(formats=...) use it
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from sparring.data.depth import narrowed
from sparring.errors import InvalidImageError

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
LIMIT_PIXELS = 64_000_000
LIMIT_BYTES = 256 * 2**20
T = TypeVar("T")
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a picture's header says.

    Arguments:
        height, width: as seen upright, in pixels.
        mode: pixel format in Pillow's words, as `L`, `RGB`, `I;16`, `P`.
        colour, alpha: whether it may hold colours, whether it may be transparent.
    """

    height: int
    width: int
    mode: str
    colour: bool
    alpha: bool


def probe(data: bytes) -> Probe:
    """Read the header only.

    Raises:
        InvalidImageError: not a picture, a format that is not opened, or too large.
    """
    return _guarded(lambda: _probe(data))


def decode(data: bytes) -> tuple[Image.Image, str]:
    """The picture, upright, in mode L, LA, RGB or RGBA, and what had to be converted (or "").

    Raises:
        InvalidImageError: damaged, truncated, not a picture, or too large.
    """
    return _guarded(lambda: _decode(data))


def _guarded(work: Callable[[], T]) -> T:
    """The one boundary between decoders and us: their errors have no common base, so all become ours."""
    try:
        return work()
    except InvalidImageError:
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError("too large to decode safely") from error
    except MemoryError as error:
        raise InvalidImageError("needs more memory than there is") from error
    except Exception as error:
        raise InvalidImageError(_reason(error)) from error


def _reason(error: Exception) -> str:
    text = str(error).split("<_io")[0].strip()
    if "truncated" in text or "Truncated" in text or isinstance(error, EOFError):
        return "truncated"
    return f"damaged ({type(error).__name__}: {text[:80]})" if text else f"damaged ({type(error).__name__})"


def _opened(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImageError("empty file")
    if not data.startswith(SIGNATURES):
        raise InvalidImageError("not a picture (" + ", ".join(FORMATS) + " are read)")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > LIMIT_PIXELS:
        raise InvalidImageError(f"{width}x{height} is more than {LIMIT_PIXELS // 10**6} million pixels")
    return image


def _probe(data: bytes) -> Probe:
    image = _opened(data)
    width, height = image.size
    if _orientation(image, loaded=False) >= 5:
        width, height = height, width
    mode, transparent = image.mode, "transparency" in image.info
    alpha = mode in ("LA", "RGBA", "PA", "La", "RGBa") or (transparent and mode in ("1", "L", "RGB", "P"))
    colour = mode not in ("1", "L", "LA", "La", "I", "F") and not mode.startswith("I;16")
    return Probe(
        height=height, width=width, mode=mode, colour=colour and not _grey_palette(image), alpha=alpha
    )


def _grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA") or image.palette is None:
        return False
    palette = np.asarray(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    return len(palette) > 0 and bool((palette == palette[:, :1]).all())


def _orientation(image: Image.Image, *, loaded: bool) -> int:
    """EXIF orientation 1 to 8. Pillow turns TIFFs itself; a PNG's is asked for only where that needs no decoding."""
    if image.format == "TIFF" or (image.format == "PNG" and not loaded and "exif" not in image.info):
        return 1
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF data is no reason to lose the picture
        return 1


def _decode(data: bytes) -> tuple[Image.Image, str]:
    image = _opened(data)
    image.load()
    orientation, notes = _orientation(image, loaded=True), []
    if getattr(image, "is_animated", False) and image.format in ("GIF", "WEBP", "PNG", "TIFF"):
        notes.append("first frame taken")
    plain, note = narrowed(image)
    if note:
        notes.append(note)
    if orientation in UPRIGHT:
        plain = plain.transpose(UPRIGHT[orientation])
        notes.append(f"turned upright (EXIF {orientation})")
    return plain, ", ".join(notes)
