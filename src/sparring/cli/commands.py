"""The table of commands, and `report` and `recipes`, which are one call each. No torch here: `--help` must be
quick.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from sparring.cli.classify import Classify
from sparring.cli.doctor import Doctor
from sparring.cli.evaluate import Evaluate
from sparring.cli.explore import Explore
from sparring.cli.export import Export
from sparring.cli.inspect import Inspect
from sparring.cli.latent import Latent
from sparring.cli.reconstruct import Reconstruct
from sparring.cli.sample import Sample
from sparring.cli.train import Train
from sparring.cli.translate import Translate


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write RUN/report.html: curves, samples over time, settings and data, in one file that needs no network.

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
        from sparring.recipes import RECIPE_DESCRIPTIONS

        width = max(map(len, RECIPE_DESCRIPTIONS))
        for name, description in RECIPE_DESCRIPTIONS.items():
            print(f"{name:<{width}}  {description}")
        return 0


Command = (
    Annotated[Train, subcommand("train")]
    | Annotated[Sample, subcommand("sample")]
    | Annotated[Translate, subcommand("translate")]
    | Annotated[Reconstruct, subcommand("reconstruct")]
    | Annotated[Classify, subcommand("classify")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Inspect, subcommand("inspect")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Doctor, subcommand("doctor")]
    | Annotated[Explore, subcommand("explore")]
    | Annotated[Latent, subcommand("latent")]
    | Annotated[Recipes, subcommand("recipes")]
)
