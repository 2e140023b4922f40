"""The commands that only look: at data, at a run, at the recipes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import Count, Data, Device, Flag, Precision, Settings, Size, Text


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

    data: Data = ()
    recipe: Text = None
    size: Size = None
    settings: Settings = ()
    out: Annotated[Path, arg(metavar="PNG")] = Path("contact.png")
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Count = None
    json: Flag = False

    def __call__(self) -> int:
        from sparring.cli.using import inspect

        return inspect(self)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write RUN/report.html: curves, samples over time, settings, data. It opens without a network.

    Args:
        run: A run folder.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]

    def __call__(self) -> int:
        from sparring.report import write

        print(write(self.run))
        return 0


@dataclass(frozen=True, kw_only=True)
class Recipes:
    """List the recipes."""

    def __call__(self) -> int:
        from sparring.recipes import NAMES

        width = max(map(len, NAMES))
        for name, about in NAMES.items():
            print(f"{name:<{width}}  {about}")
        return 0
