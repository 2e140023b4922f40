"""What the command line and Python share: machine, default run folder, a run with its console and report."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparring import report, runtime
from sparring.asking import Size, default_out, domains, pixels
from sparring.console import Console
from sparring.errors import DivergedError
from sparring.machine import Machine
from sparring.request import Request, read_document
from sparring.run import Run
from sparring.train import RUN_FILE, Result
from sparring.train import train as play


def train(
    data: str | Path | Sequence[str | Path] | None = None,
    *,
    recipe: str | None = None,
    out: str | Path | None = None,
    images: int | None = None,
    seed: int | None = None,
    size: Size | None = None,
    batch: int | None = None,
    until: str | None = None,
    settings: Sequence[str] = (),
    config: str | Path | Mapping[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    quiet: bool = True,
) -> Run:
    """Train, or go on with a run that is there: `sparring train` in Python, with the same options.

    Arguments:
        data: a path or a built-in name, or two of them for a translation.
        size: side of the pictures, or (height, width), or a text such as `48x80`.
        settings: of the form `training.batch=32`.
        config: a file of settings, or a table of them.
    """
    document = (
        dict(config)
        if isinstance(config, Mapping)
        else read_document(Path(config))
        if config is not None
        else {}
    )
    given = [] if data is None else [data] if isinstance(data, str | os.PathLike) else data
    source, other = domains([os.fspath(one) for one in given])
    request = Request(
        data=source,
        other=other,
        recipe=recipe,
        images=images,
        seed=seed,
        batch=batch,
        size=pixels(size),
        until=until,
        settings=tuple(settings),
        document=document,
    )
    folder = Path(out) if out is not None else default_out(request)
    machine = Machine(device=device, precision=precision, threads=threads)
    with Console.standard(quiet=quiet) as console:
        perform(request, folder, machine, console)
    return Run(folder, device)


def perform(request: Request, out: Path, machine: Machine, console: Console) -> Result:
    """Train while the console tells of it, and write the report."""
    leads = int(os.environ.get("RANK", 0)) == 0

    def start(pictures: bool) -> runtime.Runtime:
        started = machine.start(pictures)
        console.machine = started.describe()
        return started

    console.run = out
    try:
        result = play(request, out, start, console.see, console.begin, console.reading)
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
