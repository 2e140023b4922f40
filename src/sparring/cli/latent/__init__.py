"""`sparring latent`: the table of its sub-commands. No torch here: `--help` must be quick."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg, subcommand

from sparring.cli.latent.directions import Directions
from sparring.cli.latent.edit import Edit, Invert
from sparring.cli.latent.walk import Grid, Mix, Morph, Walk

Action = (
    Annotated[Walk, subcommand("walk")]
    | Annotated[Grid, subcommand("grid")]
    | Annotated[Mix, subcommand("mix")]
    | Annotated[Morph, subcommand("morph")]
    | Annotated[Directions, subcommand("directions")]
    | Annotated[Edit, subcommand("edit")]
    | Annotated[Invert, subcommand("invert")]
)


@dataclass(frozen=True, kw_only=True)
class Latent:
    """Explore the latent space: interpolation, vector arithmetic, directions, and inversion of your own images."""

    action: Annotated[Action, arg(name="")]

    def __call__(self) -> int:
        return self.action()
