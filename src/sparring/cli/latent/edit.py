"""`sparring latent edit` and `sparring latent invert`: their options, and images inverted and edited along a
direction.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from sparring.cli.latent.walk import require_images
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    DirectionFile,
    EncoderChoice,
    Flag,
    Float,
    InputSource,
    Int,
    Label,
    OptionalFile,
    OptionalInt,
    OptionalName,
    OutPath,
    RunPath,
    Seed,
    require_at_least,
)
from sparring.core.errors import SparringError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from sparring.api import Run
    from sparring.cli.inputs import InputSamples
    from sparring.inference.latent import Inversion
    from sparring.inference.latent.encoder import LatentEncoder

LATENTS_FILE, ENCODER_FILE, PAIRS_FILE = "latents.safetensors", "encoder.safetensors", "pairs.png"
IMAGES_FOLDER = "images"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Move samples, or your own images, along a direction: a row each, from one side to the other.

    Args:
        run: A run folder, or a generator.safetensors.
        direction: A file of `sparring latent directions`, followed by :NAME or :NUMBER if it holds several.
        without: Names of directions of the same file that should not change, separated by commas.
        strength: How far to move, to either side.
        steps: Images per row.
        images: An image or a folder of images, which are inverted first. By default samples.
        latents: A file of `sparring latent invert`.
        n: Number of samples.
        label: Name or number of one class for all.
        truncation: Factor on the latents.
        out: x.png (a sheet), x.gif, x.webp, x.mp4, or a folder of frames.
        fps: Frames per second.
        seed: Random seed of the samples.
        device: Device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    direction: DirectionFile
    without: OptionalName = None
    strength: Float = 4.0
    steps: Int = 9
    images: Annotated[str | None, arg(metavar="IMAGES", help_behavior_hint=NO_DEFAULT_HINT)] = None
    latents: OptionalFile = None
    n: Int = 6
    label: Label = None
    truncation: Float = 1.0
    out: OutPath = Path("edit.png")
    fps: Float = 15.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        return edit(self)


@dataclass(frozen=True, kw_only=True)
class Invert:
    """Find the latents of your own images (GAN inversion), so that they can be edited.

    Args:
        run: A run folder, or a generator.safetensors.
        images: An image or a folder of images; or an array file, zip or built-in name as for `sparring train`.
        encoder: Where the search starts: auto (at the output of the run's own encoder, or of one that is fitted to the
            generator), fit (always of a fitted one), or none (at random).
        steps: Steps of the search.
        starts: Latents to try for each image. By default 1 with an encoder, else 4.
        label: Name or number of the images' class. By default it is searched for, if the generator can blend classes.
        out: A folder for the reconstructed images, pairs.png and latents.safetensors.
        seed: Random seed of the starts.
        device: Device: auto, cpu, cuda or mps.
        threads: Number of CPU threads.
        quiet: Print nothing but errors.
    """

    run: RunPath
    images: InputSource
    encoder: EncoderChoice = "auto"
    steps: Int = 200
    starts: OptionalInt = None
    label: Label = None
    out: OutPath = Path("inverted")
    seed: Seed = 0
    device: Device = "auto"
    threads: OptionalInt = None
    quiet: Flag = False

    def __call__(self) -> int:
        return invert(self)


def edit(options: Edit) -> int:
    """Move samples or inverted images along a direction."""
    import numpy as np

    from sparring.api import load
    from sparring.cli.output import print_lines, writing
    from sparring.inference import latent
    from sparring.inference.latent import images

    run = load(options.run, options.device)
    require_images(run, "latent edit")
    file, name = parse_direction(options.direction)
    directions = latent.load_directions(file)
    direction = latent.select_direction(directions, name)
    if options.without:
        others = options.without.split(",")
        direction = direction.without([latent.select_direction(directions, other) for other in others])
    if not (math.isfinite(options.strength) and options.strength):
        raise SparringError(f"--strength {options.strength}", "a number other than 0", "4 is usual")
    z, y = latents_to_edit(run, options)
    steps = require_at_least(options.steps, 2, "--steps")
    strengths = np.linspace(-options.strength, options.strength, steps).tolist()
    rows = images.edit(run, z, y, direction, strengths)
    with writing(options.out):
        images.save_rows(options.out, rows, options.fps)
    spread = f"{-options.strength:g} to {options.strength:g}"
    print_lines(options.quiet, f"{len(rows)} rows, {direction.name} from {spread}: {options.out}")
    return 0


def latents_to_edit(run: "Run", options: Edit) -> "tuple[Tensor, Tensor | None]":
    """Latents (n, z) and classes: those of `--latents`, of `--images` by inversion, or of samples."""
    from sparring.cli.inputs import input_labels, input_tensor, load_inputs
    from sparring.cli.output import print_lines
    from sparring.inference import latent
    from sparring.inference.latent import images

    generator = run.generator.generation
    if options.latents is not None:
        return latent.load_latents(generator, options.latents)
    if options.images is None:
        indices = range(require_at_least(options.n, 1, "--n"))
        return images.latents_and_labels(run, indices, options.seed, options.label, options.truncation)
    inputs = load_inputs(run, options.images)
    labels = input_labels(run, inputs, options.label)
    if generator.encoder is not None:
        encoder = latent.model_encoder(generator)
    else:
        print_lines(options.quiet, "fitting an encoder to the generator ...")
        encoder = latent.fit_encoder(generator)
    search = latent.InversionOptions(starts=1)
    inversion = latent.invert(generator, input_tensor(run, inputs), labels, encoder=encoder, options=search)
    print_lines(options.quiet, f"inverted {len(inputs.names)} images: {format_quality(inversion)}")
    return inversion.z, inversion.y


def invert(options: Invert) -> int:
    """Find the latents of images, and save them with the images that they give."""
    from sparring.api import load
    from sparring.cli.inputs import input_labels, input_tensor, load_inputs
    from sparring.cli.output import print_lines, writing
    from sparring.core.runtime import DeviceOptions
    from sparring.inference import latent
    from sparring.inference.latent import images

    DeviceOptions(device=options.device, threads=options.threads).start()
    run = load(options.run, options.device)
    inputs = load_inputs(run, options.images)
    labels = input_labels(run, inputs, options.label)
    encoder = select_encoder(run, options)
    starts = options.starts if options.starts is not None else 4 if encoder is None else 1
    search = latent.InversionOptions(steps=options.steps, starts=starts, seed=options.seed)
    inversion = latent.invert(
        run.generator.generation, input_tensor(run, inputs), labels, encoder=encoder, options=search
    )
    reconstructions = images.decode_images(run, inversion.z, inversion.y)
    with writing(options.out):
        save_inversion(options.out, inputs, reconstructions, inversion)
    latents = options.out / LATENTS_FILE
    print_lines(
        options.quiet,
        f"{len(reconstructions):,} images in {options.out}: {format_quality(inversion)}",
        f"{'next':<11}sparring latent edit {options.run} --latents {latents} --direction FILE",
    )
    return 0


def format_quality(inversion: "Inversion") -> str:
    """How close the inversion came to the images, in words."""
    low, high = float(inversion.psnr.min()), float(inversion.psnr.max())
    seconds = inversion.seconds / len(inversion.z)
    spread = f", from {low:.1f} to {high:.1f}" if len(inversion.z) > 1 else ""
    distance = float(inversion.perceptual.mean())
    mean = float(inversion.psnr.mean())
    return f"PSNR {mean:.1f} dB{spread}, perceptual distance {distance:.3f}, {seconds:.2f} s each"


def select_encoder(run: "Run", options: Invert) -> "LatentEncoder | None":
    """The encoder that `--encoder` names. A fitted one is saved in `--out`, and used again."""
    from sparring.cli.output import print_lines, writing
    from sparring.inference import latent

    generator, path = run.generator.generation, options.out / ENCODER_FILE
    if options.encoder == "none":
        return None
    if options.encoder == "auto" and generator.encoder is not None:
        return latent.model_encoder(generator)
    encoder = latent.load_encoder(generator, path)
    if encoder is None:
        print_lines(options.quiet, f"fitting an encoder to the generator, saved as {path} ...")
        encoder = latent.fit_encoder(generator, seed=options.seed)
        with writing(options.out):
            latent.save_encoder(path, encoder, generator)
    return encoder


def save_inversion(
    out: Path, inputs: "InputSamples", reconstructions: "np.ndarray", inversion: "Inversion"
) -> None:
    """Save latents, reconstructions, and a sheet of images beside their reconstructions."""
    from sparring.cli.inputs import png_names
    from sparring.cli.output import write_file
    from sparring.data.image_grid import encode_png, to_pil_image
    from sparring.inference import latent, sampling
    from sparring.inference.reconstruction import reconstruction_grid

    latent.save_latents(out / LATENTS_FILE, inputs.names, inversion.z, inversion.y)
    if reconstructions.ndim == 2:
        sampling.save_samples(out / "points.npz", reconstructions, None, None)
        return
    write_file(out / PAIRS_FILE, encode_png(reconstruction_grid(inputs.samples, reconstructions)))
    for name, image in zip(png_names(inputs.names), reconstructions, strict=True):
        write_file(out / IMAGES_FOLDER / name, encode_png(to_pil_image(image)))


def parse_direction(text: str) -> tuple[Path, str]:
    """`FILE[:NAME]` as a path and a name. A file whose own name contains a colon is found, too.

    >>> parse_direction("d.safetensors:smile")[1]
    'smile'
    """
    if Path(text).is_file():
        return Path(text), ""
    file, _, name = text.rpartition(":")
    return (Path(file), name) if file else (Path(text), "")
