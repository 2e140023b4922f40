"""`sparring train`: its options, and training with progress on the terminal."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from sparring.cli.options import (
    NO_DEFAULT_HINT,
    DataSources,
    Device,
    Flag,
    Json,
    OptionalFile,
    OptionalInt,
    OptionalName,
    Precision,
    Settings,
    Size,
    Source,
    Until,
    split_data_and_settings,
)

if TYPE_CHECKING:
    from sparring.runs.request import Request
    from sparring.training.start import TrainResult


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model. The same command again resumes where it stopped; with more images or a longer time it trains longer.

    Args:
        data: A folder or zip of images, an array file (.npz, .npy, IDX), or the name of a built-in data set;
            `name:class,class` selects classes. Two DATA are the two domains of an image-to-image translation.
            By default a built-in set of animal drawings.
        recipe: The recipe to train; `sparring recipes` lists them. By default chosen from the data.
        out: The run folder. By default runs/DATA-RECIPE.
        images: Length of training, in real images seen, repeats included. By default chosen from the recipe. More than
            the run in RUN has: train it longer, with learning rates and other schedules stretched to the new length.
        seed: Seed of all random numbers.
        size: Side or height x width of the images, in pixels. By default chosen from the data.
        batch: Batch size.
        start_from: Begin with the weights of another run, of a generator.safetensors or of hf://user/name (fine-tuning). Recipe,
            networks, size and settings are the source's, unless options say otherwise.
        until: A time such as 100s, 5m or 2h: choose the length so that training takes this long; with --images, stop
            and save then. Longer than the time that RUN was begun with: train it longer, by the difference.
            Or a target such as "fd<=20": stop when the metric reaches it. Or both: "fd<=20,2h".
        settings: Any setting of run.json, such as training.batch=32; can be repeated.
        config: A YAML or JSON file of settings, such as the run.json of another run.
        device: Device to train on: auto, cpu, cuda or mps.
        precision: Numeric precision of the networks.
        threads: Number of CPU threads. By default the fastest, measured.
        quiet: Print nothing but errors.
        json: Write the result as JSON to PATH; without PATH to standard output, and all else to standard error.
    """

    data: DataSources = ()
    recipe: OptionalName = None
    out: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint=NO_DEFAULT_HINT)] = None
    images: OptionalInt = None
    seed: OptionalInt = None
    size: Size = None
    batch: OptionalInt = None
    start_from: Source = None
    until: Until = None
    settings: Settings = ()
    config: OptionalFile = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    quiet: Flag = False
    json: Json = None

    def __call__(self) -> int:
        return train(self)


def train(options: Train) -> int:
    """Train, or resume, and print a summary.

    Returns:
        The exit code.
    """
    from sparring.api import train_and_report
    from sparring.cli.output import open_console, write_json
    from sparring.core.runtime import DeviceOptions
    from sparring.runs import checkpoint
    from sparring.runs.request import default_run_folder

    start = time.monotonic()
    request = build_request(options)
    out = options.out or default_run_folder(request)
    device = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    with open_console(quiet=options.quiet, json=options.json) as console:
        sources = " and ".join(filter(None, [request.data, request.data_b]))
        console.print(f"reading {sources or 'the data'} ...")
        result = train_and_report(request, out, device, console)
        seconds = time.monotonic() - start
        images = max(checkpoint.list_checkpoints(out), default=0)
        console.print("", *summary_lines(result, images, seconds))
        if console.is_main_process:
            document = {
                "run": str(out),
                "outcome": result.outcome,
                "images": images,
                "seconds": round(seconds, 2),
            }
            document |= {"goal": result.target_summary} if result.target_summary else {}
            document |= {"metric": result.generator_summary} if result.generator_summary else {}
            write_json(document, options.json)
    return result.exit_code


def build_request(options: Train) -> "Request":
    """The request that the options describe."""
    from sparring.runs.request import Request, parse_data, parse_size, read_config_file

    sources, settings = split_data_and_settings(options.data, options.settings)
    data, data_b = parse_data(sources)
    return Request(
        data=data,
        data_b=data_b,
        recipe=options.recipe,
        images=options.images,
        seed=options.seed,
        batch=options.batch,
        size=parse_size(options.size),
        start_from=options.start_from,
        until=options.until,
        settings=tuple(settings),
        document=read_config_file(options.config) if options.config else {},
    )


def summary_lines(result: "TrainResult", images: int, seconds: float) -> list[str]:
    """How training ended, where the results are, and a command to try next.

    Arguments:
        images: of the last checkpoint.
        seconds: that the command took.
    """
    from sparring.runs import records
    from sparring.terminal.text import format_duration

    again = "Give more --images to train it longer, or another --out or --seed for a new run."
    if result.outcome == "gave_up":
        head = (
            f"gave up, and kept the generator of image {images:,}: the run failed again after its last remedy"
        )
    elif result.was_finished and result.outcome == "reached":
        head = f"this run is already finished: {result.target_summary}. {again}"
    elif result.was_finished:
        head = f"this run is already finished: {images:,} images. {again}"
    elif result.outcome in ("finished", "reached"):
        head = f"finished: {images:,} images in {format_duration(seconds)}"
    elif images:
        head = f"stopped at image {images:,}; the state is saved"
    else:
        return ["stopped before the first step; the same command starts again"]
    lines = [head, *records.read_rescues(result.run)]
    if result.outcome == "gave_up":
        lines.append(f"{'diagnosis':<11}sparring doctor {shlex.quote(str(result.run))}")
    if result.target_summary and result.target_summary not in head:
        lines.append(result.target_summary)
    if result.generator_summary:
        lines.append(f"{'metric':<11}{result.generator_summary}")
    if result.outcome == "stopped":
        lines.append(f"{'resume':<11}sparring train --out {shlex.quote(str(result.run))}")
    files = {"samples": "samples.png", "generator": "generator.safetensors", "report": "report.html"}
    for title, name in files.items():
        if (result.run / name).exists():
            lines.append(f"{title:<11}{result.run / name}")
    return [*lines, f"{'next':<11}{next_command(result.run)}"]


def next_command(run: Path) -> str:
    """A command that uses the model of a run, by its kind."""
    from sparring.report.run_report import is_classifier
    from sparring.runs.run_json import load_run_json

    document, quoted = load_run_json(run) or {}, shlex.quote(str(run))
    if (document.get("data") or {}).get("shape_b"):
        return f"sparring translate {quoted} IMAGES --out translated"
    if is_classifier(document):
        return f"sparring classify {quoted} IMAGES"
    return f"sparring sample {quoted} --n 64 --out new.png"
