"""`sparring sample`: its options, and samples as a grid, arrays or a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from sparring.cli.options import Checkpoint, Device, Flag, Int, Label, OutPath, RunPath, Seed


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Sample from a trained generator.

    Args:
        run: A run folder, or a generator.safetensors.
        n: Number of samples.
        seed: Random seed. Sample i depends on the seed, on i and on its label alone.
        label: Name or number of one class. By default classes are as frequent as in the data.
        truncation: Factor on the latents: below 1 samples are more typical and less varied.
        out: x.png: a grid; x.npz: the arrays `images` (or `points`) and `labels`; else a folder of PNGs.
        checkpoint: Sample from a checkpoint: best, last, or its images. By default generator.safetensors: the last of the
            run, or the best where a finished run ended clearly worse.
        device: Device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: RunPath
    n: Int = 64
    seed: Seed = 0
    label: Label = None
    truncation: Annotated[float, arg(metavar="T")] = 1.0
    out: OutPath = Path("samples.png")
    checkpoint: Checkpoint = None
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        return sample(self)


def sample(options: Sample) -> int:
    """Sample from the generator and save the samples."""
    from sparring.api import load
    from sparring.cli.output import print_lines, writing
    from sparring.data import grid_image, points_image
    from sparring.inference import sampling

    run = load(options.run, options.device, options.checkpoint)
    samples = run.sample(options.n, options.seed, options.label, options.truncation)
    labels = run.labels(options.n, options.label, options.seed)
    image = None
    if options.out.suffix == ".png":
        columns = max(1, round(options.n**0.5))
        image = points_image(samples) if samples.ndim == 2 else grid_image(samples, columns)
    with writing(options.out):
        sampling.save_samples(options.out, samples, labels, image)
    print_lines(options.quiet, f"{options.n:,} samples in {options.out}")
    return 0
