"""`sparring sample` and `sparring inspect`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sparring import samples
from sparring.asking import domains, pixels
from sparring.console import Console
from sparring.data import contact_sheet, grid_image, points_image
from sparring.errors import SparringError
from sparring.inspection import inspect as look
from sparring.machine import Machine
from sparring.request import Request
from sparring.run import load

if TYPE_CHECKING:
    from sparring.cli.commands import Inspect, Sample


def sample(options: "Sample") -> int:
    """Make samples and save them."""
    run = load(options.run, options.device)
    made = run.sample(options.n, options.seed, options.label, options.truncation)
    picture = None
    if options.out.suffix == ".png":
        columns = round(options.n**0.5)
        picture = points_image(made) if made.ndim == 2 else grid_image(made, max(1, columns))
    try:
        samples.save(options.out, made, run.labels(options.n, options.label, options.seed), picture)
    except OSError as error:
        raise SparringError(
            f"--out {options.out}: {error}", "a path that can be written to", "choose another --out"
        ) from error
    with Console.standard(quiet=options.quiet) as console:
        console.say(f"{options.n:,} samples in {options.out}")
    return 0


def inspect(options: "Inspect") -> int:
    """Look at data and tell what is found; write a contact sheet."""
    words = [word for group in options.settings for word in group]
    source, other = domains([*options.data, *(word for word in words if "=" not in word)])
    request = Request(
        data=source,
        other=other,
        recipe=options.recipe,
        size=pixels(options.size),
        settings=tuple(word for word in words if "=" in word),
    )
    machine = Machine(device=options.device, precision=options.precision, threads=options.threads)
    found = look(request, machine.start)
    write(options.out, samples.png(contact_sheet(found.dataset, 8, 8)))
    if options.json:
        print(json.dumps({**found.to_json(), "contact_sheet": str(options.out)}))
        return 0
    with Console.standard(quiet=False) as console:
        console.say(*found.lines(), "", f"contact sheet: {options.out}")
    return 0


def write(path: Path, content: bytes) -> None:
    """Write a file where the user wants it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise SparringError(
            f"--out {path}: {error}", "a path that can be written to", "choose another --out"
        ) from error
