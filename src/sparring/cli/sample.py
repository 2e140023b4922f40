"""`sparring sample`: its options, and samples as a grid, arrays or a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from sparring.api import load
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    Device,
    Flag,
)
from sparring.core.errors import SparringError
from sparring.data import grid_image, points_image
from sparring.inference import sampling
from sparring.terminal.console import Console


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Make samples with a trained generator.

    Args:
        run: A run folder, or a generator.safetensors.
        n: How many.
        seed: Sample i depends on the seed, i and its label alone.
        label: Name or number of one class. By default as frequent as in the data.
        truncation: Factor on the latents: below 1 more typical and less varied.
        out: x.png: one image of all; x.npz: arrays `images` (or `points`) and `labels`; else a folder.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE")]
    n: Annotated[int, arg(metavar="N")] = 64
    seed: Annotated[int, arg(metavar="S")] = 0
    label: Annotated[str | None, arg(metavar="K", help_behavior_hint=NO_DEFAULT_HINT)] = None
    truncation: Annotated[float, arg(metavar="T")] = 1.0
    out: Annotated[Path, arg(metavar="PATH")] = Path("samples.png")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:

        return sample(self)


if TYPE_CHECKING:
    pass


def sample(options: "Sample") -> int:
    """Make samples and save them."""
    run = load(options.run, options.device)
    made = run.sample(options.n, options.seed, options.label, options.truncation)
    picture = None
    if options.out.suffix == ".png":
        columns = round(options.n**0.5)
        picture = points_image(made) if made.ndim == 2 else grid_image(made, max(1, columns))
    try:
        sampling.save_samples(options.out, made, run.labels(options.n, options.label, options.seed), picture)
    except OSError as error:
        raise SparringError(
            f"--out {options.out}: {error}", "a path that can be written to", "choose another --out"
        ) from error
    with Console.for_stdout(quiet=options.quiet) as console:
        console.print(f"{options.n:,} samples in {options.out}")
    return 0
