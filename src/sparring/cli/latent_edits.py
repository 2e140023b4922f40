"""`sparring latent directions`, `edit` and `invert`: their options. No torch in here: `--help` must be quick."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.latent_options import Along, Encoders, Label, Number, Out, Real, RunPath, Seed, Ways
from sparring.cli.options import PLAIN, Count, Device, Flag, Text


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Find directions in the latent space, measure what they change, and save them.

    Args:
        run: A run folder, or a generator.safetensors.
        by: pca (of activations), sefa (of the first layer's weights), labels (between samples with and without), classifier (its
            slope). By default labels with --wanted, else pca.
        wanted: What is to change, with commas between: a class of --data, or one of brightness, contrast, width, height, x, y,
            redness, blueness.
        n: Directions, of pca and sefa; at most as many as a latent has numbers.
        data: A labelled set, as for `sparring train`, for a judge of its classes. By default the run's own, where it has labels.
        samples: That the directions are found with, and as many at most to measure them.
        seed: Of the samples.
        out: A file x.safetensors; x.png beside it shows what each direction does.
        device: auto, cpu, cuda or mps.
        threads: Of the CPU.
        quiet: Print nothing but errors.
    """

    run: RunPath
    by: Ways = "auto"
    wanted: Annotated[str | None, arg(metavar="A,B", help_behavior_hint=PLAIN)] = None
    n: Number = 5
    data: Annotated[str | None, arg(metavar="DATA", help_behavior_hint=PLAIN)] = None
    samples: Count = None
    seed: Seed = 0
    out: Out = Path("directions.safetensors")
    device: Device = "auto"
    threads: Count = None
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.finding import find

        return find(self)


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Move samples, or your own pictures, along a direction: a row each, from one side to the other.

    Args:
        run: A run folder, or a generator.safetensors.
        direction: A file of `sparring latent directions`, with :NAME or :NUMBER behind it where it holds several.
        without: Directions that are to stay as they are, with commas between: the same file's names.
        strength: How far, to either side.
        steps: Pictures a row.
        pictures: A picture or a folder of them, which are inverted first. By default samples.
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
    direction: Along
    without: Text = None
    strength: Real = 4.0
    steps: Number = 9
    pictures: Annotated[str | None, arg(metavar="IMAGES", help_behavior_hint=PLAIN)] = None
    latents: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint=PLAIN)] = None
    n: Number = 6
    label: Label = None
    truncation: Real = 1.0
    out: Out = Path("edit.png")
    fps: Real = 15.0
    seed: Seed = 0
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.editing import edit

        return edit(self)


@dataclass(frozen=True, kw_only=True)
class Invert:
    """Find the latents of your own pictures, so that they can be edited.

    Args:
        run: A run folder, or a generator.safetensors.
        images: A picture, or a folder of them; or an array file, zip or built-in name as for `sparring train`.
        encoder: Where the search starts: auto (the run's own encoder, or one that is fitted to the generator), none, or fit.
        steps: Of the search.
        starts: Latents that are tried for each picture. By default 1 from an encoder, else 4.
        label: Name or number of the pictures' class. By default it is sought, where that is possible.
        out: A folder: the pictures as they come back, pairs.png and latents.safetensors.
        seed: Of the starts.
        device: auto, cpu, cuda or mps.
        threads: Of the CPU.
        quiet: Print nothing but errors.
    """

    run: RunPath
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    encoder: Encoders = "auto"
    steps: Number = 200
    starts: Count = None
    label: Label = None
    out: Out = Path("inverted")
    seed: Seed = 0
    device: Device = "auto"
    threads: Count = None
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.editing import invert

        return invert(self)
