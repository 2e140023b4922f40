"""`sparring latent edit` and `sparring latent invert`: their options, and images inverted and edited along a
direction.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from torch import Tensor
from tyro.conf import Positional, arg

from sparring.api import Run, load
from sparring.cli.inputs import InputSamples, load_inputs
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    DirectionFile,
    EncoderChoice,
    Flag,
    Float,
    Int,
    Label,
    OptionalInt,
    OptionalName,
    OutPath,
    RunPath,
    Seed,
)
from sparring.cli.output import print_lines, require_at_least, require_images, write_rows, writing
from sparring.core import storage, tensor_file
from sparring.core.errors import CorruptFileError, SparringError
from sparring.core.runtime import DeviceOptions
from sparring.data import image_grid
from sparring.inference import latent, sampling
from sparring.inference.latent import images
from sparring.inference.latent.encoder import LatentEncoder
from sparring.inference.reconstruction import reconstruction_grid
from sparring.models.generator import GeneratorModel
from sparring.terminal.console import Console


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Move samples, or your own images, along a direction: a row each, from one side to the other.

    Args:
        run: A run folder, or a generator.safetensors.
        direction: A file of `sparring latent directions`, with :NAME or :NUMBER behind it where it holds several.
        without: Directions that are to stay as they are, with commas between: the same file's names.
        strength: How far, to either side.
        steps: Images a row.
        images: A image or a folder of them, which are inverted first. By default samples.
        latents: A file of `sparring latent invert`.
        n: Samples. label: Name or number of one class for all.
        truncation: Factor on the latents.
        out: x.png (a sheet), x.gif, x.webp, x.mp4, or a folder of frames.
        fps: Frames a second.
        seed: Of the samples.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    direction: DirectionFile
    without: OptionalName = None
    strength: Float = 4.0
    steps: Int = 9
    pictures: Annotated[str | None, arg(metavar="IMAGES", help_behavior_hint=NO_DEFAULT_HINT)] = None
    latents: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=NO_DEFAULT_HINT)] = None
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
    """Find the latents of your own images, so that they can be edited.

    Args:
        run: A run folder, or a generator.safetensors.
        images: A image, or a folder of them; or an array file, zip or built-in name as for `sparring train`.
        encoder: Where the search starts: auto (the run's own encoder, or one that is fitted to the generator), none, or fit.
        steps: Of the search.
        starts: Latents that are tried for each image. By default 1 from an encoder, else 4.
        label: Name or number of the images' class. By default it is sought, where that is possible.
        out: A folder: the images as they come back, pairs.png and latents.safetensors.
        seed: Of the starts.
        device: auto, cpu, cuda or mps.
        threads: Of the CPU.
        quiet: Print nothing but errors.
    """

    run: RunPath
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
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


if TYPE_CHECKING:
    pass

LATENTS_FILE, ENCODER_FILE, PAIRS_FILE = "latents.safetensors", "encoder.safetensors", "pairs.png"


def edit(options: "Edit") -> int:
    """Samples, or images, moved along a direction."""
    run = load(options.run, options.device)
    require_images(run, "a sheet of edits")
    file, name = parse_direction(options.direction)
    known = latent.load_directions(file)
    direction = latent.select_direction(known, name)
    if options.without:
        direction = direction.without(
            [latent.select_direction(known, each) for each in options.without.split(",")]
        )
    if not (math.isfinite(options.strength) and options.strength):
        raise SparringError(f"--strength {options.strength}", "a number but 0", "4 is usual")
    z, y = _initial_latents(run, options)
    strengths = np.linspace(
        -options.strength, options.strength, require_at_least(options.steps, 2, "--steps")
    ).tolist()
    made = images.edit(run, z, y, direction, strengths)
    write_rows(options.out, made, options.fps)
    print_lines(
        options.quiet,
        f"{len(made)} rows, {direction.name} by {-options.strength:g} to {options.strength:g}: {options.out}",
    )
    return 0


def _initial_latents(run: Run, options: "Edit") -> tuple[Tensor, Tensor | None]:
    if options.latents is not None:
        return read_latents(run.generator.generation, options.latents)
    if options.pictures is None:
        chosen = range(require_at_least(options.n, 1, "--n"))
        return images.latents_and_labels(run, chosen, options.seed, options.label, options.truncation)
    found = load_inputs(run, options.pictures)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    done = latent.invert(
        run.generator.generation,
        _to_input(run, found),
        labels,
        encoder=_default_encoder(run, options.quiet),
        options=latent.InversionOptions(starts=1),
    )
    print_lines(options.quiet, f"inverted {len(found.names)} images: {format_quality(done)}")
    return done.z, done.y


def invert(options: "Invert") -> int:
    """The latents of images."""
    DeviceOptions(device=options.device, threads=options.threads).start()
    run = load(options.run, options.device)
    found = load_inputs(run, options.images)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    with writing(options.out):
        encoder = _select_encoder(run, options)
        starts = options.starts if options.starts is not None else 4 if encoder is None else 1
        settings = latent.InversionOptions(steps=options.steps, starts=starts, seed=options.seed)
        done = latent.invert(
            run.generator.generation, _to_input(run, found), labels, encoder=encoder, options=settings
        )
        back = images.decode_images(run, done.z, done.y)
        _save_inversion(options.out, found, back, done)
    words = "; edit them: sparring latent edit RUN --latents "
    print_lines(
        options.quiet,
        f"{len(back):,} images in {options.out}: {format_quality(done)}{words}{options.out / LATENTS_FILE}",
    )
    return 0


def format_quality(done: latent.Inversion) -> str:
    """How near the images were reached, in words."""
    low, high = float(done.psnr.min()), float(done.psnr.max())
    each = done.seconds / len(done.z)
    spread = f", from {low:.1f} to {high:.1f}" if len(done.z) > 1 else ""
    far = float(done.perceptual.mean())
    return f"PSNR {float(done.psnr.mean()):.1f} dB{spread}, perceptual distance {far:.3f}, {each:.2f} s each"


def _to_input(run: Run, found: InputSamples) -> Tensor:
    return sampling.to_model_input(run.generator.generation.spec, run.generator.metadata, found.samples)


def _select_encoder(run: Run, options: "Invert") -> LatentEncoder | None:
    generation = run.generator.generation
    if options.encoder == "none":
        return None
    if options.encoder == "auto" and generation.encoder is not None:
        return latent.model_encoder(generation)
    place, key = options.out / ENCODER_FILE, fingerprint(generation)
    if place.is_file():
        data = storage.read(place)
        if tensor_file.read_header(data)[1].get("generator") == key:
            return latent.encoder_from_bytes(generation, data)
    print_lines(options.quiet, f"fitting an encoder to the generator, kept in {place} ...")
    encoder = latent.fit_encoder(generation, seed=options.seed)
    storage.make_folder(options.out)
    storage.write_atomic(place, latent.encoder_to_bytes(encoder, {"generator": key}))
    return encoder


def _default_encoder(run: Run, quiet: bool) -> LatentEncoder:
    generation = run.generator.generation
    if generation.encoder is not None:
        return latent.model_encoder(generation)
    with Console.for_stdout(quiet=quiet) as console:
        console.print("fitting an encoder to the generator ...")
    return latent.fit_encoder(generation)


def fingerprint(generation: GeneratorModel) -> str:
    """SHA-256 of a generator's weights."""
    return hashlib.sha256(tensor_file.to_bytes(generation.state_dict())).hexdigest()


def _save_inversion(out: Path, found: InputSamples, back: np.ndarray, done: latent.Inversion) -> None:
    storage.make_folder(out)
    header = json.dumps({"format": 1, "names": found.names})
    tensors = {"z": done.z} | ({} if done.y is None else {"y": done.y})
    storage.write_atomic(out / LATENTS_FILE, tensor_file.to_bytes(tensors, {"sparring.latents": header}))
    if back.ndim == 2:
        sampling.save_samples(out / "points.npz", back, None, None)
        return
    (out / PAIRS_FILE).write_bytes(image_grid.encode_png(reconstruction_grid(found.samples, back)))
    for name, picture in zip(found.names, back, strict=True):
        place = out / "pictures" / f"{PurePosixPath(name).with_suffix('')}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(image_grid.encode_png(image_grid.to_pil_image(picture)))


def parse_direction(text: str) -> tuple[Path, str]:
    """`FILE[:NAME]` apart; a file whose own name has a colon is found, too."""
    if Path(text).is_file():
        return Path(text), ""
    file, _, name = text.rpartition(":")
    return (Path(file), name) if file else (Path(text), "")


def read_latents(generation: GeneratorModel, path: Path) -> tuple[Tensor, Tensor | None]:
    """Latents and classes of a file of `sparring latent invert`.

    Raises:
        SparringError: there is none, or it is of another run. CorruptFileError: it is something else.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}", "a file of latents", "make one: sparring latent invert RUN IMAGES"
        )
    table, _ = tensor_file.read_header(
        storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
    )
    try:
        count, classes = int(table["z"]["shape"][0]), generation.spec.num_classes
        expected = {"z": torch.empty(count, generation.latent, device="meta")}
        if "y" in table:
            whole = table["y"]["dtype"] == "I64"
            shape = (count,) if whole else (count, classes)
            expected["y"] = torch.empty(shape, dtype=torch.int64 if whole else torch.float32, device="meta")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{path}: {error}", "latents written by Sparring", "use another file"
        ) from error
    tensor_file.check_size(path.stat().st_size, table, expected)
    tensors = tensor_file.from_bytes(storage.read(path), expected)
    return tensors["z"], tensors.get("y")
