"""`sparring latent walk`, `grid`, `mix` and `morph`: their options, and interpolation as videos and sheets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from tyro.conf import arg

from sparring.api import load
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    Flag,
    Float,
    Int,
    Label,
    OutPath,
    PathKind,
    RunPath,
    SampleGroups,
    SampleIndices,
    Seed,
)
from sparring.cli.output import (
    parse_indices,
    print_lines,
    require_at_least,
    require_images,
    write_frames,
    write_rows,
    writing,
)
from sparring.core.errors import SparringError
from sparring.data import image_grid, points_image
from sparring.inference import latent, sampling
from sparring.inference.latent import images


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
    out: OutPath = Path("walk.gif")
    n: Int = 6
    samples: SampleIndices = None
    steps: Int = 15
    path: PathKind = "spherical"
    open: Flag = False
    films: Int = 1
    fps: Float = 15.0
    label: Label = None
    truncation: Float = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return walk(self)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All that lies between four samples, as one image.

    Args:
        run: A run folder, or a generator.safetensors.
        out: x.png, or a folder of images.
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
    out: OutPath = Path("grid.png")
    samples: Annotated[str, arg(metavar="0,4,7,9")] = "0,1,2,3"
    rows: Int = 8
    columns: Int = 8
    path: PathKind = "spherical"
    label: Label = None
    truncation: Float = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return grid(self)


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Add and subtract groups of samples, as in "smiling women - women + men": a sheet with a row for each group.

    Args:
        run: A run folder, or a generator.safetensors.
        add: Numbers of a group's samples; give it once for each group.
        subtract: The same, for the groups that are taken away.
        label: Name or number of one class for all.
        out: A image, x.png.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    add: SampleGroups = ()
    subtract: SampleGroups = ()
    label: Label = None
    out: OutPath = Path("mix.png")
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

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
    classes: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=NO_DEFAULT_HINT)] = None
    n: Int = 8
    steps: Int = 9
    out: OutPath = Path("morph.png")
    fps: Float = 15.0
    truncation: Float = 1.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return morph(self)


if TYPE_CHECKING:
    pass


def walk(options: "Walk") -> int:
    """A film of a walk."""
    run = load(options.run, options.device)
    chosen = parse_indices(options.samples, "--samples") or list(range(options.n))
    films = []
    for number in range(require_at_least(options.films, 1, "--films")):
        z, y = images.latents_and_labels(
            run,
            [each + number * (max(chosen) + 1) for each in chosen],
            options.seed,
            options.label,
            options.truncation,
        )
        way = images.walk(run, z, y, steps=options.steps, kind=options.path, closed=not options.open)
        films.append(way)
    write_frames(options.out, np.stack(films, 1), options.fps)
    print_lines(options.quiet, f"{len(films[0]):,} frames in {options.out}")
    return 0


def grid(options: "Grid") -> int:
    """All between four samples."""
    run = load(options.run, options.device)
    chosen = parse_indices(options.samples, "--samples")
    z, y = images.latents_and_labels(run, chosen, options.seed, options.label, options.truncation)
    made = images.grid(run, z, y, rows=options.rows, columns=options.columns, kind=options.path)
    picture = image_grid.grid_image(made, options.columns) if made.ndim == 4 else points_image(made)
    with writing(options.out):
        sampling.save_samples(options.out, made, None, picture)
    print_lines(options.quiet, f"{len(made):,} images in {options.out}")
    return 0


def mix(options: "Mix") -> int:
    """Sums and differences of groups."""
    run = load(options.run, options.device)
    require_images(run, "a sheet of sums")
    plus, minus = (
        [parse_indices(group, "--add") for group in groups] for groups in (options.add, options.subtract)
    )
    if not plus:
        raise SparringError(
            "no --add",
            "the numbers of a group of samples",
            "look at `sparring sample RUN`, and name some: --add 0,4,7",
        )
    picture = images.mix(run, plus, minus, seed=options.seed, label=options.label)
    with writing(options.out):
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_bytes(image_grid.encode_png(picture))
    print_lines(options.quiet, f"a row for each group, its mean last, and the result: {options.out}")
    return 0


def morph(options: "Morph") -> int:
    """From class to class."""
    run = load(options.run, options.device)
    require_images(run, "a sheet of classes")
    chosen = options.classes.split(",") if options.classes else run.classes
    z = latent.sample_latents(
        run.generator.generation, options.seed, range(require_at_least(options.n, 1, "--n"))
    )
    made = images.morph(run, chosen, z * options.truncation, steps=options.steps)
    write_rows(options.out, made, options.fps)
    print_lines(options.quiet, f"{len(made)} samples, {' to '.join(chosen)}: {options.out}")
    return 0
