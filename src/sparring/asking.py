"""What people write, on the command line or in Python, as parts of a `Request`."""

import re
from collections.abc import Sequence
from pathlib import Path

from sparring.errors import ConfigError
from sparring.request import Request

Size = str | int | tuple[int, int]


def pixels(size: Size | None) -> tuple[int, int] | None:
    """A size as (height, width).

    >>> pixels("48x80"), pixels(32)
    ((48, 80), (32, 32))
    """
    if size is None or isinstance(size, tuple):
        return size
    match = re.fullmatch(r"(\d+)(?:\s*[xX×]\s*(\d+))?", str(size).strip())
    if match is None:
        raise ConfigError(
            f"--size {size}", "a side or height x width in pixels, such as 64 or 48x80", "write it like this"
        )
    return int(match[1]), int(match[2] or match[1])


def default_out(request: Request) -> Path:
    """The run folder where none is named: always the same for the same data and recipe.

    >>> str(default_out(Request(data="photos/cats/", recipe="wgan")))
    'runs/cats-wgan'
    """
    source = request.data or str(request.document.get("data", {}).get("source", "animals"))
    name = Path(source).name or Path(source).resolve().name
    stem = re.sub(r"\.(zip|npz|npy|gz|csv)(?=$|:)", "", name)
    recipe = request.recipe or str(request.document.get("recipe", "auto"))
    plain = re.sub(r"[^\w.]+", "-", stem).strip("-.") or "data"
    return Path("runs") / f"{plain}-{recipe}"


def one(data: Sequence[str]) -> str | None:
    """The one DATA."""
    if len(data) > 1:
        raise ConfigError(
            f"{len(data)} DATA: {' '.join(data)}",
            "one folder, file or built-in name, or none for the built-in set",
            "put quotes round a name with blanks; write settings as --set path=value",
        )
    return data[0] if data else None
