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
    >>> str(default_out(Request(data="horses/", other="zebras/", recipe="cyclegan")))
    'runs/horses-zebras-cyclegan'
    """
    written = request.document.get("data", {})
    source = request.data or str(written.get("source", "animals"))
    other = request.other if request.data else written.get("other")
    recipe = request.recipe or str(request.document.get("recipe", "auto"))
    return Path("runs") / "-".join([*(_plain(side) for side in (source, other) if side), recipe])


def _plain(source: str) -> str:
    name = Path(source).name or Path(source).resolve().name
    stem = re.sub(r"\.(zip|npz|npy|gz|csv)(?=$|:)", "", name)
    return re.sub(r"[^\w.]+", "-", stem).strip("-.") or "data"


def domains(data: Sequence[str], named: Sequence[str] | None = None) -> tuple[str | None, str | None]:
    """The one DATA, or the two of a translation.

    Arguments:
        data: as they stand on the command line.
        named: the two behind `--domains`.

    >>> domains(["photos"]), domains(["horses", "zebras"]) == domains([], ["horses", "zebras"])
    (('photos', None), True)
    """
    if data and named:
        got = f"DATA {' '.join(data)} and --domains {' '.join(named)}"
        raise ConfigError(got, "one of the two", "leave one out: two DATA mean the same as --domains")
    data = named or data
    if len(data) > 2:
        raise ConfigError(
            f"{len(data)} DATA: {' '.join(data)}",
            "one folder, file or built-in name, two for a translation, or none for the built-in set",
            "put quotes round a name with blanks; write settings as --set path=value",
        )
    first, second = [*data, None, None][:2]
    return first, second
