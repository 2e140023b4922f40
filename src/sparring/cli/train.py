"""`sparring train`: its options, and training with progress on the terminal."""

import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from sparring.api import train_and_report
from sparring.cli.options import (
    NO_DEFAULT_HINT,
    DataSources,
    Device,
    Flag,
    OptionalFile,
    OptionalInt,
    OptionalName,
    Precision,
    Settings,
    Size,
    Until,
)
from sparring.core.runtime import DeviceOptions
from sparring.report.run_report import is_classifier
from sparring.runs import checkpoint
from sparring.runs.request import Request, default_run_folder, parse_data, parse_size, read_config_file
from sparring.runs.run_json import load_run_json
from sparring.terminal.console import Console
from sparring.terminal.text import format_duration
from sparring.training.start import TrainResult


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a generator. The same command again goes on where it stopped.

    Args:
        data: A folder or zip of images, an array file (.npz, .npy, IDX), or a built-in name;
            `name:class,class` takes a part of it. Without it, the built-in set. Two DATA are the
            two domains of a translation.
        domains: The two domains of a translation, as two DATA.
        recipe: What to play; `sparring recipes` lists them. By default chosen from the data.
        out: The run folder. By default runs/DATA-RECIPE.
        images: Length of the run, in real samples seen.
        seed: Of everything random.
        size: Side or height x width of the images, in pixels. By default chosen from the data.
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

    data: DataSources = ()
    domains: Annotated[tuple[str, str] | None, arg(metavar="A B", help_behavior_hint=NO_DEFAULT_HINT)] = None
    recipe: OptionalName = None
    out: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint=NO_DEFAULT_HINT)] = None
    images: OptionalInt = None
    seed: OptionalInt = None
    size: Size = None
    batch: OptionalInt = None
    until: Until = None
    settings: Settings = ()
    config: OptionalFile = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: OptionalInt = None
    quiet: Flag = False
    json: Flag = False

    def __call__(self) -> int:

        return train(self)


if TYPE_CHECKING:
    pass


def train(options: "Train") -> int:
    """Do as the command line says.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    request = build_request(options)
    out = options.out or default_run_folder(request)
    machine = DeviceOptions(device=options.device, precision=options.precision, threads=options.threads)
    with Console.for_stdout(quiet=options.quiet, use_stderr=options.json) as console:
        sources = " and ".join(filter(None, [request.data, request.data_b]))
        console.print(f"reading {sources or 'the data'} ...")
        result = train_and_report(request, out, machine, console)
        seconds = time.monotonic() - began
        images = max(checkpoint.list_checkpoints(out), default=0)
        console.print("", *summary_lines(result, images, seconds))
        if options.json and console.is_main_process:
            told = {
                "run": str(out),
                "outcome": result.outcome,
                "images": images,
                "seconds": round(seconds, 2),
            }
            told |= {"goal": result.target_summary} if result.target_summary else {}
            print(json.dumps(told), flush=True)
    return result.exit_code


def build_request(options: "Train") -> Request:
    """What was asked for; a DATA behind `--set` has no '=' in it."""
    words = [word for group in options.settings for word in group]
    data = [*options.data, *(word for word in words if "=" not in word)]
    source, data_b = parse_data(data, options.domains)
    return Request(
        data=source,
        data_b=data_b,
        recipe=options.recipe,
        images=options.images,
        seed=options.seed,
        batch=options.batch,
        size=parse_size(options.size),
        until=options.until,
        settings=tuple(word for word in words if "=" in word),
        document=read_config_file(options.config) if options.config else {},
    )


def summary_lines(result: TrainResult, images: int, seconds: float) -> list[str]:
    """How it ended, where the results are, and what to do next."""
    run, typed = result.run, shlex.quote(str(result.run))
    if result.was_finished and result.outcome == "reached":
        head = f"this run was over before: {result.target_summary}. Another --out or --seed begins a new one."
    elif result.was_finished:
        head = f"this run was finished before: {images:,} images. Another --out or --seed begins a new one."
    elif result.outcome in ("finished", "reached"):
        head = f"finished: {images:,} images in {format_duration(seconds)}"
    elif images:
        head = f"stopped at image {images:,}; all is saved"
    else:
        return ["stopped before the first step; the same command begins anew"]
    lines = [head]
    if result.target_summary and result.target_summary not in head:
        lines.append(result.target_summary)
    if result.outcome == "stopped":
        lines.append(f"{'go on':<11}sparring train --out {typed}")
    for what, name in {
        "samples": "samples.png",
        "generator": "generator.safetensors",
        "report": "report.html",
    }.items():
        if (run / name).exists():
            lines.append(f"{what:<11}{run / name}")
    classifies = is_classifier(load_run_json(run) or {})
    if ((load_run_json(run) or {}).get("data") or {}).get("shape_b"):
        return [*lines, f"{'next':<11}sparring translate {typed} PICTURES --out translated"]
    verb = f"classify {typed} PICTURES" if classifies else f"sample {typed} --n 64 --out new.png"
    return [*lines, f"{'next':<11}sparring {verb}"]
