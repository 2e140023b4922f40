"""The commands and their options. No torch in here: `--help` must be quick."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from sparring.cli.doctoring import Doctor
from sparring.cli.exploring import Explore
from sparring.cli.exporting import Export
from sparring.cli.judging import Evaluate
from sparring.cli.latents import Latent
from sparring.cli.looking import Inspect, Recipes, Report
from sparring.cli.options import PLAIN, Count, Data, Device, File, Flag, Precision, Settings, Size, Text, Time
from sparring.cli.relatives import Classify, Reconstruct, Translate


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a generator. The same command again goes on where it stopped.

    Args:
        data: A folder or zip of pictures, an array file (.npz, .npy, IDX), or a built-in name;
            `name:class,class` takes a part of it. Without it, the built-in set. Two DATA are the
            two domains of a translation.
        domains: The two domains of a translation, as two DATA.
        recipe: What to play; `sparring recipes` lists them. By default chosen from the data.
        out: The run folder. By default runs/DATA-RECIPE.
        images: Length of the run, in real samples seen.
        seed: Of everything random.
        size: Side or height x width of the pictures, in pixels. By default chosen from the data.
        batch: Samples a step.
        until: A time such as 100s, 5m or 2h: choose the length such that the run takes this long; with --images, stop
            and save then. Or a goal such as "fd<=20": stop when a metric is as good as that. Or both: "fd<=20,2h".
        settings: Any setting of run.json, as in training.batch=32; can be given many times.
        config: A YAML or JSON file of settings; a run.json will do.
        device: auto, cpu, cuda or mps.
        precision: Of the networks' numbers.
        threads: Of the CPU.
        quiet: Print nothing but errors.
        json: Print one line of JSON at the end; all else goes to stderr.
    """

    data: Data = ()
    domains: Annotated[tuple[str, str] | None, arg(metavar="A B", help_behavior_hint=PLAIN)] = None
    recipe: Text = None
    out: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint=PLAIN)] = None
    images: Count = None
    seed: Count = None
    size: Size = None
    batch: Count = None
    until: Time = None
    settings: Settings = ()
    config: File = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: Count = None
    quiet: Flag = False
    json: Flag = False

    def __call__(self) -> int:
        from sparring.cli.training import train

        return train(self)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Make samples with a trained generator.

    Args:
        run: A run folder, or a generator.safetensors.
        n: How many.
        seed: Sample i depends on the seed, i and its label alone.
        label: Name or number of one class. By default as frequent as in the data.
        truncation: Factor on the latents: below 1 more typical and less varied.
        out: x.png: one picture of all; x.npz: arrays `images` (or `points`) and `labels`; else a folder.
        device: auto, cpu, cuda or mps.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE")]
    n: Annotated[int, arg(metavar="N")] = 64
    seed: Annotated[int, arg(metavar="S")] = 0
    label: Annotated[str | None, arg(metavar="K", help_behavior_hint=PLAIN)] = None
    truncation: Annotated[float, arg(metavar="T")] = 1.0
    out: Annotated[Path, arg(metavar="PATH")] = Path("samples.png")
    device: Device = "auto"
    quiet: Flag = False

    def __call__(self) -> int:
        from sparring.cli.using import sample

        return sample(self)


Command = (
    Annotated[Train, subcommand("train")]
    | Annotated[Sample, subcommand("sample")]
    | Annotated[Translate, subcommand("translate")]
    | Annotated[Reconstruct, subcommand("reconstruct")]
    | Annotated[Classify, subcommand("classify")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Inspect, subcommand("inspect")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Doctor, subcommand("doctor")]
    | Annotated[Explore, subcommand("explore")]
    | Annotated[Latent, subcommand("latent")]
    | Annotated[Recipes, subcommand("recipes")]
)
