"""`sparring reconstruct`: its options, and samples through the encoder and decoder of a run."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import numpy as np
from tyro.conf import Positional, arg

from sparring.api import load
from sparring.cli.inputs import InputSamples, load_inputs
from sparring.cli.options import NO_DEFAULT_HINT, Device, Flag
from sparring.core.errors import SparringError
from sparring.data import points_image
from sparring.data.image_grid import encode_png, to_pil_image
from sparring.inference.reconstruction import reconstruction_grid
from sparring.inference.sampling import save_samples
from sparring.metrics import psnr
from sparring.terminal.console import Console
from sparring.terminal.text import names_by_reason, printable


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Send images through a run's encoder and decoder, and show what comes back.

    Args:
        run: The run folder of an autoencoder (ae, dae, vae, svae ...), or its generator.safetensors.
        images: A image, or a folder of them; or an array file, zip or built-in name as for `sparring train`.
        label: Name or number of their class, for a run that is told labels.
        out: x.png: originals and reconstructions in turn, row by row; else a folder, in which names are kept.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    images: Annotated[Positional[str], arg(metavar="IMAGES")]
    label: Annotated[str | None, arg(metavar="K", help_behavior_hint=NO_DEFAULT_HINT)] = None
    out: Annotated[Path, arg(metavar="PATH")] = Path("reconstructions")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return reconstruct(self)


if TYPE_CHECKING:
    pass


def reconstruct(options: "Reconstruct") -> int:
    """Send images through encoder and decoder; save what comes back."""
    run = load(options.run, options.device)
    run.generator.generation.encoder_decoder()
    found = load_inputs(run, options.images)
    labels = run.labels(len(found.names), options.label) if options.label is not None else None
    back = run.reconstruct(found.samples, None if labels is None else labels.tolist())
    try:
        _save_reconstructions(options.out, found, back)
    except OSError as error:
        raise SparringError(
            f"--out {options.out}: {error}", "a path that can be written to", "choose another --out"
        ) from error
    with Console.for_stdout(quiet=options.quiet) as console:
        left_out = [printable(line) for line in names_by_reason("skipped", found.skipped)]
        said = f"{len(back):,} reconstructed, in {options.out}: {_format_quality(found.samples, back)}"
        console.print(*left_out, said)
    return 0


def _save_reconstructions(out: Path, found: InputSamples, back: np.ndarray) -> None:
    points = back.ndim == 2
    if out.suffix == ".png":
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(
            encode_png(
                points_image(back, found.samples) if points else reconstruction_grid(found.samples, back)
            )
        )
        return
    if points or out.suffix == ".npz":
        save_samples(out, back, None, None)
        return
    stems = [str(PurePosixPath(name).with_suffix("")) for name in found.names]
    for name, stem, array in zip(found.names, stems, back, strict=True):
        alone = stems.count(stem) == 1 or name.endswith(".png")  # a.jpg beside a.png becomes a.jpg.png
        place = out / f"{stem if alone else name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_png(to_pil_image(array)))


def _format_quality(real: np.ndarray, back: np.ndarray) -> str:
    if back.ndim == 2:
        return f"root mean square error {float(np.sqrt(np.square(real - back).mean())):.4g}"
    each = psnr(real, back).clamp_max(99)
    return f"PSNR {float(each.mean()):.1f} dB, from {float(each.min()):.1f} to {float(each.max()):.1f}"
