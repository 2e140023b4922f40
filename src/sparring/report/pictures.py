"""Pictures inside the page, as data URLs."""

import base64
import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, features

from sparring import storage

LIMIT_PIXELS = 50_000_000
PLAIN_BYTES = 1_500_000  # a PNG up to this size goes in as it is
LONGEST = 1600  # pixels of a larger one, reduced


def inlined(path: Path, *, small: bool) -> str:
    """A picture as a data URL; empty if it is missing or damaged.

    Arguments:
        small: take WebP, about a tenth of the bytes, with losses that are hardly seen.
    """
    try:
        content = storage.read(path)
        with warnings.catch_warnings(), Image.open(BytesIO(content), formats=["PNG"]) as opened:
            warnings.simplefilter("ignore")
            if opened.width * opened.height > LIMIT_PIXELS:
                return ""
            picture = opened.convert("RGB")
    except Exception:  # whatever is wrong with a picture must not cost the page
        return ""
    if not small and len(content) <= PLAIN_BYTES:
        return url(content, "png")
    picture.thumbnail((LONGEST, LONGEST))
    kind = "webp" if features.check("webp") else "png"
    buffer = BytesIO()
    picture.save(buffer, kind, quality=88)
    return url(buffer.getvalue(), kind)


def url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def evenly(names: Sequence[str], count: int) -> list[str]:
    """At most `count` of them, the first and the last among them.

    >>> evenly("abcdefg", 3)
    ['a', 'd', 'g']
    """
    if len(names) <= count:
        return list(names)
    return [names[round(at * (len(names) - 1) / (count - 1))] for at in range(count)]
