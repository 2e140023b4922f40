"""`sparring reconstruct`: its options, and samples through the encoder and decoder of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sparring.cli.options import Device, Flag, InputSource, Label, OutPath, RunPath

if TYPE_CHECKING:
    import numpy as np

    from sparring.cli.inputs import InputSamples


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Encode images and decode them again, and report the reconstruction error.

    Args:
        run: The run folder of an autoencoder (ae, dae, vae, svae ...), or its generator.safetensors.
        images: An image or a folder of images; or an array file, zip or built-in name as for `sparring train`.
        label: Name or number of their class, for a run that is conditional on labels.
        out: x.png: originals and reconstructions in alternate rows; else a folder, in which names are kept.
        device: Device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    images: InputSource
    label: Label = None
    out: OutPath = Path("reconstructions")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        return reconstruct(self)


def reconstruct(options: Reconstruct) -> int:
    """Reconstruct samples and save the reconstructions."""
    from sparring.api import load
    from sparring.cli.inputs import input_labels, load_inputs
    from sparring.cli.output import print_lines, writing
    from sparring.terminal.text import names_by_reason

    run = load(options.run, options.device)
    run.generator.generation.encoder_decoder()  # refuses a run without an encoder before the images are read
    inputs = load_inputs(run, options.images)
    labels = input_labels(run, inputs, options.label)
    reconstructions = run.reconstruct(inputs.samples, None if labels is None else labels.tolist())
    with writing(options.out):
        save_reconstructions(options.out, inputs, reconstructions)
    quality = reconstruction_error(inputs.samples, reconstructions)
    summary = f"{len(reconstructions):,} reconstructed, in {options.out}: {quality}"
    print_lines(options.quiet, *names_by_reason("skipped", inputs.skipped), summary)
    return 0


def save_reconstructions(out: Path, inputs: "InputSamples", reconstructions: "np.ndarray") -> None:
    """Save reconstructions by the suffix of `out`: `.png` pairs in one image, `.npz` arrays, else a folder."""
    from sparring.cli.inputs import png_names
    from sparring.cli.output import write_file
    from sparring.data import points_image
    from sparring.data.image_grid import encode_png, to_pil_image
    from sparring.inference.reconstruction import reconstruction_grid
    from sparring.inference.sampling import save_samples

    points = reconstructions.ndim == 2
    if out.suffix == ".png":
        draw = points_image if points else reconstruction_grid
        first, second = (reconstructions, inputs.samples) if points else (inputs.samples, reconstructions)
        write_file(out, encode_png(draw(first, second)))
    elif points or out.suffix == ".npz":
        save_samples(out, reconstructions, None, None)
    else:
        for name, array in zip(png_names(inputs.names), reconstructions, strict=True):
            write_file(out / name, encode_png(to_pil_image(array)))


def reconstruction_error(samples: "np.ndarray", reconstructions: "np.ndarray") -> str:
    """The root mean square error of points, or the PSNR of images, in words."""
    import numpy as np

    from sparring.metrics import psnr

    if reconstructions.ndim == 2:
        return f"root mean square error {float(np.sqrt(np.square(samples - reconstructions).mean())):.4g}"
    decibels = psnr(samples, reconstructions).clamp_max(99)
    low, high = float(decibels.min()), float(decibels.max())
    return f"PSNR {float(decibels.mean()):.1f} dB, from {low:.1f} to {high:.1f}"
