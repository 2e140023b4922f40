"""From the bytes of one picture file to a picture that is upright, 8 bits deep and grey or coloured.

Only six formats are ever opened, and size limits are checked from the header, before anything is decoded. The
file's colour profile is ignored. Of animations the first frame is taken.
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
from sparring.data.upright import UPRIGHT, orientation_of
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
MOVING = ("GIF", "WEBP", "PNG")
LIMIT_PIXELS = 64_000_000
LIMIT_BYTES = 256 * 2**20
T = TypeVar("T")


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


def probe(data: bytes) -> tuple[Probe, Image.Image]:
    """Read the header only; the picture, opened but not decoded, is for `decode`.

    Raises:
        InvalidImageError: not a picture, a format that is not opened, or too large.
    """
    return _guarded(lambda: _probe(data))


def decode(data: bytes | Image.Image) -> tuple[Image.Image, str]:
    """The picture, upright, in mode L, LA, RGB or RGBA, and what had to be converted (or "").

    Arguments:
        data: a file's content, or what `probe` opened.

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


def _probe(data: bytes) -> tuple[Probe, Image.Image]:
    image = _opened(data)
    width, height = image.size
    if orientation_of(image, loaded=False) >= 5:
        width, height = height, width
    mode, transparent = image.mode, "transparency" in image.info
    alpha = mode in ("LA", "RGBA", "PA", "La", "RGBa") or (transparent and mode in ("1", "L", "RGB", "P"))
    colour = mode not in ("1", "L", "LA", "La", "I", "F") and not mode.startswith("I;16")
    colour = colour and not _grey_palette(image)
    return Probe(height=height, width=width, mode=mode, colour=colour, alpha=alpha), image


def _grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA") or image.palette is None:
        return False
    palette = np.asarray(image.getpalette("RGB") or (), np.uint8).reshape(-1, 3)
    return len(palette) > 0 and bool((palette == palette[:, :1]).all())


def _decode(data: bytes | Image.Image) -> tuple[Image.Image, str]:
    image = _opened(data) if isinstance(data, bytes) else data
    # asked before the decoding, because a GIF looks for its second frame and comes back
    notes = ["first frame taken"] if image.format in MOVING and getattr(image, "is_animated", False) else []
    image.load()
    orientation = orientation_of(image, loaded=True)
    plain, note = narrowed(image)
    if note:
        notes.append(note)
    if orientation in UPRIGHT:
        plain = plain.transpose(UPRIGHT[orientation])
        notes.append(f"turned upright (EXIF {orientation})")
    return plain, ", ".join(notes)
