"""`sparring export`: its options, and the exporters behind `--to`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from sparring.cli.options import NO_DEFAULT_HINT, Flag, OptionalInt

ExportTarget = Literal["onnx", "safetensors", "torch", "html"]
SUFFIXES = {"onnx": ".onnx", "safetensors": "-model", "torch": ".pt2", "html": "-page"}


@dataclass(frozen=True, kw_only=True)
class Export:
    """Bring a trained run into another form: for other programs, for the Hugging Face hub, for a web page.

    Args:
        run: A run folder, or a generator.safetensors; or hf://user/name.
        to: onnx: one file for any ONNX runtime. safetensors: a folder in Hugging Face layout. torch: a program of torch.export.
            html: a folder whose page runs the model in the visitor's browser.
        out: Where to. By default a name made from the run's, here.
        license: Of the weights, for the model card, as in cc0-1.0.
        push: Upload the folder (--to safetensors) to this repository of the hub, private at first.
        runtime: The folder of the npm package onnxruntime-web, for pages. By default it is taken through npm.
        threads: Of the CPU.
        quiet: Print nothing but errors.
    """

    run: Annotated[Positional[Path], arg(metavar="RUN|FILE")]
    to: ExportTarget
    out: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=NO_DEFAULT_HINT)] = None
    license: Annotated[str, arg(metavar="NAME", help_behavior_hint=NO_DEFAULT_HINT)] = ""
    push: Annotated[str, arg(metavar="USER/NAME", help_behavior_hint=NO_DEFAULT_HINT)] = ""
    runtime: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint=NO_DEFAULT_HINT)] = None
    threads: OptionalInt = None
    quiet: Flag = False

    def __call__(self) -> int:
        return export(self)


def export(options: Export) -> int:
    """Export, and say how near the result is to the model."""
    from sparring.api import load
    from sparring.core.errors import SparringError
    from sparring.core.runtime import DeviceOptions
    from sparring.export import EXPORTS, ExportJob, hub
    from sparring.terminal.console import Console

    if options.push and options.to != "safetensors":
        raise SparringError(
            f"--push with --to {options.to}", "--to safetensors", "add it, or leave --push out"
        )
    DeviceOptions(device="cpu", threads=options.threads).start()
    run = load(options.run, "cpu")
    found = run.generator
    name = default_name(str(options.run), run.path)
    out = options.out or Path(f"{name}{SUFFIXES[options.to]}")
    job = ExportJob(
        model=found.model,
        metadata=found.metadata,
        source=run.path,
        out=out,
        license=options.license,
        runtime=options.runtime,
    )
    said = EXPORTS[options.to](job)
    if options.push:
        said.append(f"uploaded: {hub.push(out, options.push)}")
    with Console.for_stdout(quiet=options.quiet) as console:
        console.print(*said)
    return 0


def default_name(asked: str, path: Path) -> str:
    """What an export is called by default: as the run, or the hub's repository."""
    if asked.startswith("hf:/"):
        return asked.partition("@")[0].rpartition("/")[2]
    return path.resolve().parent.name if path.is_file() else path.resolve().name
