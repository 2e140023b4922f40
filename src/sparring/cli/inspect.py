"""`sparring inspect`: its options, and the summary, cost and contact sheet of a data set before training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from sparring.cli.options import (
    DataSources,
    Device,
    Json,
    OptionalInt,
    OptionalName,
    Precision,
    Settings,
    Size,
    split_data_and_settings,
)


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Show what a data set holds, what is skipped and why, and what training on it would cost.

    Args:
        data: The data set, as for `sparring train`.
        recipe: The recipe, as for `sparring train`.
        size: Size of the images, as for `sparring train`.
        settings: Settings, as for `sparring train`.
        out: File for the contact sheet.
        device: Device: auto, cpu, cuda or mps.
        precision: Numeric precision of the networks.
        threads: Number of CPU threads.
        json: Write the result as JSON to PATH; without PATH print it instead of the text.
    """

    data: DataSources = ()
    recipe: OptionalName = None
    size: Size = None
    settings: Settings = ()
    out: Annotated[Path, arg(metavar="PNG")] = Path("contact.png")
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    json: Json = None

    def __call__(self) -> int:
        return inspect(self)


def inspect(options: Inspect) -> int:
    """Inspect a data set: print the summary and write the contact sheet."""
    from sparring.cli.output import STDOUT, print_lines, write_file, write_json
    from sparring.core.runtime import DeviceOptions
    from sparring.data import contact_sheet, image_grid
    from sparring.runs.request import Request, parse_data, parse_size
    from sparring.training import throughput

    sources, settings = split_data_and_settings(options.data, options.settings)
    data, data_b = parse_data(sources)
    request = Request(
        data=data,
        data_b=data_b,
        recipe=options.recipe,
        size=parse_size(options.size),
        settings=tuple(settings),
    )
    device = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    inspection = throughput.inspect(request, device.start)
    write_file(options.out, image_grid.encode_png(contact_sheet(inspection.dataset, 8, 8)))
    write_json({**inspection.to_json(), "contact_sheet": str(options.out)}, options.json)
    lines = [*inspection.lines(), "", f"contact sheet: {options.out}"]
    print_lines(options.json == STDOUT, *lines)
    return 0
