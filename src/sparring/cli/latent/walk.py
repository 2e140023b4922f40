"""`sparring latent walk`, `grid`, `mix` and `morph`: their options, and interpolation as videos and sheets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

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
    require_at_least,
)
from sparring.core.errors import SparringError

if TYPE_CHECKING:
    from sparring.api import Run

MAX_SAMPLES = 10_000  # that one option may name


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A video of an interpolation from sample to sample, closed so that it loops without a seam.

    Args:
        run: A run folder, or a generator.safetensors.
        out: x.gif, x.webp, x.mp4, x.png (one sheet of all frames), or a folder of frames.
        n: Number of samples on the path.
        samples: Indices of the samples, as `sparring sample` counts them. By default the first N.
        steps: Frames from one sample to the next.
        path: spherical interpolation, which keeps latents typical, or linear.
        open: End at the last sample.
        films: Number of videos to show side by side.
        fps: Frames per second.
        label: Name or number of one class for all. By default the samples' own classes, blended on the way.
        truncation: Factor on the latents: below 1 samples are more typical and less varied.
        seed: Random seed of the samples.
        device: Device: auto, cpu, cuda or mps.
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
    """A grid of interpolations between four samples at its corners.

    Args:
        run: A run folder, or a generator.safetensors.
        out: x.png, or a folder of images.
        samples: Indices of the samples at the four corners, row by row.
        rows: Rows of the grid.
        columns: Columns of the grid.
        path: spherical interpolation, which keeps latents typical, or linear.
        label: Name or number of one class for all. By default the corners' own classes, blended between them.
        truncation: Factor on the latents.
        seed: Random seed of the samples.
        device: Device: auto, cpu, cuda or mps.
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
    """Vector arithmetic, as in "smiling women - women + men": a sheet with a row for each group of samples.

    Args:
        run: A run folder, or a generator.safetensors.
        add: Indices of the samples of a group whose mean latent is added; give it once for each group.
        subtract: Indices of the samples of a group whose mean latent is subtracted; give it once for each group.
        label: Name or number of one class for all.
        out: An image, x.png.
        seed: Random seed of the samples.
        device: Device: auto, cpu, cuda or mps.
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
    """Interpolate samples from class to class: a row each, or a video of all.

    Args:
        run: A run folder, or a generator.safetensors, of a model that is conditional on labels.
        classes: Names or numbers of two or more classes, separated by commas. By default all.
        n: Number of samples.
        steps: Images from one class to the next, ends included.
        out: x.png (a sheet), x.gif, x.webp, x.mp4, or a folder of frames.
        fps: Frames per second.
        truncation: Factor on the latents.
        seed: Random seed of the samples.
        device: Device: auto, cpu, cuda or mps.
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


def walk(options: Walk) -> int:
    """Write a video of a walk through the latent space."""
    import numpy as np

    from sparring.api import load
    from sparring.cli.output import print_lines, writing
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    indices = parse_indices(options.samples, "--samples") or list(range(options.n))
    videos = []
    for number in range(require_at_least(options.films, 1, "--films")):
        shifted = [index + number * (max(indices) + 1) for index in indices]
        z, y = images.latents_and_labels(run, shifted, options.seed, options.label, options.truncation)
        videos.append(images.walk(run, z, y, steps=options.steps, kind=options.path, closed=not options.open))
    with writing(options.out):
        images.save_frames(options.out, np.stack(videos, 1), options.fps)
    print_lines(options.quiet, f"{len(videos[0]):,} frames in {options.out}")
    return 0


def grid(options: Grid) -> int:
    """Write a grid of interpolations between four samples."""
    from sparring.api import load
    from sparring.cli.output import print_lines, writing
    from sparring.data import image_grid, points_image
    from sparring.inference import sampling
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    corners = parse_indices(options.samples, "--samples")
    z, y = images.latents_and_labels(run, corners, options.seed, options.label, options.truncation)
    samples = images.grid(run, z, y, rows=options.rows, columns=options.columns, kind=options.path)
    is_image = samples.ndim == 4
    image = image_grid.grid_image(samples, options.columns) if is_image else points_image(samples)
    with writing(options.out):
        sampling.save_samples(options.out, samples, None, image)
    print_lines(options.quiet, f"{len(samples):,} images in {options.out}")
    return 0


def mix(options: Mix) -> int:
    """Write a sheet of groups of samples and the sum and difference of their means."""
    from sparring.api import load
    from sparring.cli.output import print_lines, write_file
    from sparring.data import image_grid
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    require_images(run, "latent mix")
    add = [parse_indices(group, "--add") for group in options.add]
    subtract = [parse_indices(group, "--subtract") for group in options.subtract]
    if not add:
        raise SparringError(
            "no --add",
            "the indices of a group of samples",
            "look at `sparring sample RUN`, and choose some: --add 0,4,7",
        )
    sheet = images.mix(run, add, subtract, seed=options.seed, label=options.label)
    write_file(options.out, image_grid.encode_png(sheet))
    print_lines(options.quiet, f"a row for each group, its mean last, and the result: {options.out}")
    return 0


def morph(options: Morph) -> int:
    """Write samples that change from class to class."""
    from sparring.api import load
    from sparring.cli.output import print_lines, writing
    from sparring.inference import latent
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    require_images(run, "latent morph")
    classes = options.classes.split(",") if options.classes else run.classes
    indices = range(require_at_least(options.n, 1, "--n"))
    z = latent.sample_latents(run.generator.generation, options.seed, indices, options.truncation)
    rows = images.morph(run, classes, z, steps=options.steps)
    with writing(options.out):
        images.save_rows(options.out, rows, options.fps)
    print_lines(options.quiet, f"{len(rows)} samples, {' to '.join(classes)}: {options.out}")
    return 0


def parse_indices(text: str | None, option: str) -> list[int]:
    """Indices of samples, from a list with ranges.

    >>> parse_indices("0,4,7-9", "--samples")
    [0, 4, 7, 8, 9]

    Raises:
        SparringError: it is no such list, or names too many samples.
    """
    indices: list[int] = []
    for part in text.split(",") if text else []:
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first + last) > 15:
            raise SparringError(
                f"{option} {text}", "numbers separated by commas, such as 0,4,7 or 0-9", "fix it"
            )
        if dash and int(last) - int(first) >= MAX_SAMPLES:
            raise SparringError(f"{option} {text}", f"at most {MAX_SAMPLES:,} samples", "choose fewer")
        indices += range(int(first), int(last) + 1) if dash else [int(first)]
        if len(indices) > MAX_SAMPLES:
            raise SparringError(f"{option} {text}", f"at most {MAX_SAMPLES:,} samples", "choose fewer")
    return indices


def require_images(run: "Run", command: str) -> None:
    """Raises SparringError for a generator of points."""
    if not run.generator.generation.spec.is_image:
        raise SparringError(
            f"{command} with a generator of points",
            "a generator of images",
            "use latent walk or latent grid, which work with points",
        )
