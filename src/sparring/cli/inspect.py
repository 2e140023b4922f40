"""`sparring inspect`: its options, and the summary, cost and contact sheet of a data set before training."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from sparring.cli.options import (
    DataSources,
    Device,
    Flag,
    OptionalInt,
    OptionalName,
    Precision,
    Settings,
    Size,
)
from sparring.cli.output import write_file
from sparring.core.runtime import DeviceOptions
from sparring.data import contact_sheet, image_grid
from sparring.runs.request import Request, parse_data, parse_size
from sparring.terminal.console import Console
from sparring.training.throughput import inspect as look


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Look at data before training: what is in it, what is skipped and why, what training would cost.

    Args:
        data: As for `sparring train`.
        recipe: As for `sparring train`.
        size: As for `sparring train`.
        settings: As for `sparring train`.
        out: Where the contact sheet goes.
        device: auto, cpu, cuda or mps.
        precision: Of the networks' numbers.
        threads: Of the CPU.
        json: Print all of it as one line of JSON.
    """

    data: DataSources = ()
    recipe: OptionalName = None
    size: Size = None
    settings: Settings = ()
    out: Annotated[Path, arg(metavar="PNG")] = Path("contact.png")
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    json: Flag = False

    def __call__(self) -> int:

        return inspect(self)


def inspect(options: "Inspect") -> int:
    """Look at data and tell what is found; write a contact sheet."""
    words = [word for group in options.settings for word in group]
    source, data_b = parse_data([*options.data, *(word for word in words if "=" not in word)])
    request = Request(
        data=source,
        data_b=data_b,
        recipe=options.recipe,
        size=parse_size(options.size),
        settings=tuple(word for word in words if "=" in word),
    )
    machine = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    found = look(request, machine.start)
    write_file(options.out, image_grid.encode_png(contact_sheet(found.dataset, 8, 8)))
    if options.json:
        print(json.dumps({**found.to_json(), "contact_sheet": str(options.out)}))
        return 0
    with Console.for_stdout(quiet=False) as console:
        console.print(*found.lines(), "", f"contact sheet: {options.out}")
    return 0
