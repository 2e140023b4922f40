"""`sparring latent ...`: the commands and their options. No torch in here: `--help` must be quick."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg, subcommand

from sparring.cli.latent_edits import Directions, Edit, Invert
from sparring.cli.latent_options import Groups, Label, Number, Numbers, Out, Paths, Real, RunPath, Seed
from sparring.cli.options import PLAIN, Device, Flag


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A film of a walk from sample to sample, closed so that it has no seam.

    Args:
        run: A run folder, or a generator.safetensors.
        out: x.gif, x.webp, x.mp4, x.png (one sheet of all frames), or a folder of frames.
        n: Samples on the way.
        samples: Their numbers, as `sparring sample` counts them. By default the first N.
        steps: Frames from one to the next.
        path: spherical keeps the latents typical; linear is the straight way.
        open: End at the last sample.
        films: So many walks side by side.
        fps: Frames a second.
        label: Name or number of one class for all. By default the samples' own, blended on the way.
        truncation: Factor on the latents: below 1 more typical and less varied.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    out: Out = Path("walk.gif")
    n: Number = 6
    samples: Numbers = None
    steps: Number = 15
    path: Paths = "spherical"
    open: Flag = False
    films: Number = 1
    fps: Real = 15.0
    label: Label = None
    truncation: Real = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.walking import walk

        return walk(self)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All that lies between four samples, as one picture.

    Args:
        run: A run folder, or a generator.safetensors.
        out: x.png, or a folder of pictures.
        samples: Numbers of the four corners, row by row.
        rows: Of the grid.
        columns: Of the grid.
        path: spherical keeps the latents typical; linear is the straight way.
        label: Name or number of one class for all. By default the corners' own, blended between them.
        truncation: Factor on the latents.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    out: Out = Path("grid.png")
    samples: Annotated[str, arg(metavar="0,4,7,9")] = "0,1,2,3"
    rows: Number = 8
    columns: Number = 8
    path: Paths = "spherical"
    label: Label = None
    truncation: Real = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.walking import grid

        return grid(self)


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Add and subtract groups of samples, as in "smiling women - women + men": a sheet with a row for each group.

    Args:
        run: A run folder, or a generator.safetensors.
        add: Numbers of a group's samples; give it once for each group.
        subtract: The same, for the groups that are taken away.
        label: Name or number of one class for all.
        out: A picture, x.png.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    add: Groups = ()
    subtract: Groups = ()
    label: Label = None
    out: Out = Path("mix.png")
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.walking import mix

        return mix(self)


@dataclass(frozen=True, kw_only=True)
class Morph:
    """Turn samples from class to class: a row each, or a film of all.

    Args:
        run: A run folder, or a generator.safetensors, of a model that takes labels.
        classes: Names or numbers of two or more classes, with commas between. By default all.
        n: Samples.
        steps: From one class to the next, ends included.
        out: x.png (a sheet), x.gif, x.webp, x.mp4, or a folder of frames.
        fps: Frames a second.
        truncation: Factor on the latents.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    classes: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=PLAIN)] = None
    n: Number = 8
    steps: Number = 9
    out: Out = Path("morph.png")
    fps: Real = 15.0
    truncation: Real = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.walking import morph

        return morph(self)


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
    """Explore the latent space: walks, grids, sums, classes, directions, your own pictures."""

    action: Annotated[Action, arg(name="")]

    def __call__(self) -> int:
        return self.action()
