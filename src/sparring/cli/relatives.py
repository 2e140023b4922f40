"""`sparring translate`, `reconstruct` and `classify`: their options."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from sparring.cli.options import PLAIN, Count, Device, Flag, Precision


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translate pictures of any size with a trained run (pix2pix, cyclegan, cut). Names are kept.

    Args:
        run: A run folder, or its generator.safetensors.
        images: Pictures, folders or zips of them.
        out: The folder for what comes out, and for gallery.html, which shows it beside what went in.
        direction: a-to-b; or b-to-a, where the run learned both.
        scale: At which size the network sees a picture: `trained`, as in training; `keep`, as it is; or the pixels of its
            shorter side.
        raw: Leave results at that size. By default they get the size of the picture that went in.
        tile: What is larger at that scale is translated in overlapping tiles of so many pixels.
        truth: A folder of what should come out, under equal names: for the gallery, and to say how near it comes.
        device: auto, cpu, cuda or mps.
        precision: Of the network's numbers.
        threads: Of the CPU.
        quiet: Print nothing but errors.
        json: Print one line of JSON at the end; all else goes to stderr.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE")]
    images: Annotated[Positional[tuple[Path, ...]], arg(metavar="IMAGES")]
    out: Annotated[Path, arg(metavar="DIR")] = Path("translated")
    direction: Annotated[str, arg(metavar="a-to-b|b-to-a")] = "a-to-b"
    scale: Annotated[str, arg(metavar="trained|keep|N")] = "trained"
    raw: Flag = False
    tile: Annotated[int, arg(metavar="N")] = 512
    truth: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint=PLAIN)] = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Count = None
    quiet: Flag = False
    json: Flag = False

    def __call__(self) -> int:
        from sparring.cli.translating import translate

        return translate(self)


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Send pictures through a run's encoder and decoder, and show what comes back.

    Args:
        run: The run folder of an autoencoder (ae, dae, vae, svae ...), or its generator.safetensors.
        images: A picture, or a folder of them; or an array file, zip or built-in name as for `sparring train`.
        label: Name or number of their class, for a run that is told labels.
        out: x.png: originals and reconstructions in turn, row by row; else a folder, in which names are kept.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    label: Annotated[str | None, arg(metavar="K", help_behavior_hint=PLAIN)] = None
    out: Annotated[Path, arg(metavar="PATH")] = Path("reconstructions")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.reconstructing import reconstruct

        return reconstruct(self)


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Tell the classes of pictures, and how often that is right where a folder tells them.

    Args:
        run: The run folder of a classifier (logistic, acgan) or of a model with a likelihood for each class (naive_bayes,
            cvae), or its generator.safetensors.
        images: A picture, or a folder of them, with a sub-folder for each class or without; or an array file, zip or
            built-in name as for `sparring train`.
        json: Write all that is found here.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    json: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=PLAIN)] = None
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.classifying import classify

        return classify(self)
