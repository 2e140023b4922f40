"""What the command line and Python share: the machine, the run folder by default, and a run with its console and report."""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sparring import report, runtime
from sparring.console import Console
from sparring.errors import ConfigError, DivergedError, nearest
from sparring.request import Request
from sparring.train import RUN_FILE, Result
from sparring.train import train as play

Size = str | int | tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What to compute on: see `runtime.start`."""

    device: Any = "auto"
    precision: Any = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        known = get_args(runtime.PrecisionName)
        if self.precision not in known:
            raise ConfigError(
                f"precision {self.precision!r}",
                f"one of {', '.join(known)}",
                nearest(str(self.precision), list(known)),
            )
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads {self.threads}", "at least 1", "leave it out to use all")

    def start(self, pictures: bool = True) -> runtime.Runtime:
        return runtime.start(self.device, self.precision, self.threads, pictures=pictures)


def perform(request: Request, out: Path, machine: Machine, console: Console) -> Result:
    """Train while the console tells of it, and write the report."""
    leads = int(os.environ.get("RANK", 0)) == 0

    def start(pictures: bool) -> runtime.Runtime:
        started = machine.start(pictures)
        console.machine = started.describe()
        return started

    console.run = out
    try:
        result = play(request, out, start, console.see, console.begin)
    except DivergedError:
        write_report(out, leads)
        raise
    finally:
        console.close()
    write_report(out, leads)
    return result


def write_report(out: Path, leads: bool) -> None:
    """Write the report, if there is a run and room for it: it is never worth losing a run's result."""
    with contextlib.suppress(OSError):
        if leads and (out / RUN_FILE).exists():
            report.write(out)


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
    """The run folder where none is named: the same for the same data and recipe, so that the same command goes on.

    >>> str(default_out(Request(data="photos/cats/", recipe="wgan")))
    'runs/cats-wgan'
    """
    source = request.data or str(request.document.get("data", {}).get("source", "animals"))
    name = Path(source).name or Path(source).resolve().name
    stem = re.sub(r"\.(zip|npz|npy|gz|csv)(?=$|:)", "", name)
    recipe = request.recipe or str(request.document.get("recipe", "auto"))
    plain = re.sub(r"[^\w.]+", "-", stem).strip("-.") or "data"
    return Path("runs") / f"{plain}-{recipe}"
