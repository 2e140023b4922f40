"""`sparring export`: its options, and the exporters behind `--to`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg
from tyro.extras import literal_type_from_choices

from sparring.cli.options import NO_DEFAULT_HINT, Flag, OptionalInt, RunPath
from sparring.core.errors import SparringError

SUFFIXES = {  # the keys of `export.EXPORTS`, and the end of the default output's name; no torch here
    "onnx": ".onnx",
    "safetensors": "-model",
    "torch": ".pt2",
    "html": "-page",
}


@dataclass(frozen=True, kw_only=True)
class Export:
    """Export a trained model: for other programs, for the Hugging Face Hub, or as a web page.

    Args:
        run: A run folder, or a generator.safetensors; or hf://user/name.
        to: onnx: one file for any ONNX runtime. safetensors: a folder in Hugging Face layout. torch: a torch.export
            program. html: a folder with a web page that runs the model in the browser.
        out: File or folder to write. By default named after the run, in the current folder.
        license: License of the weights, for the model card, such as cc0-1.0.
        push: Upload the folder (--to safetensors) to this repository of the Hub, private at first.
        runtime: Folder of the npm package onnxruntime-web, for --to html. By default downloaded with npm.
        threads: Number of CPU threads.
        quiet: Print nothing but errors.
    """

    run: RunPath
    to: Annotated[str, arg(constructor=literal_type_from_choices(SUFFIXES))]
    out: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint=NO_DEFAULT_HINT)] = None
    license: Annotated[str, arg(metavar="NAME", help_behavior_hint=NO_DEFAULT_HINT)] = ""
    push: Annotated[str, arg(metavar="USER/NAME", help_behavior_hint=NO_DEFAULT_HINT)] = ""
    runtime: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint=NO_DEFAULT_HINT)] = None
    threads: OptionalInt = None
    quiet: Flag = False

    def __call__(self) -> int:
        return export(self)


def export(options: Export) -> int:
    """Export a model, and print how far the outputs of the export are from the model's."""
    from sparring.api import load
    from sparring.cli.output import print_lines
    from sparring.core.runtime import DeviceOptions
    from sparring.export import EXPORTS, ExportJob, hub

    if options.push and options.to != "safetensors":
        raise SparringError(
            f"--push with --to {options.to}", "--to safetensors", "add it, or leave --push out"
        )
    DeviceOptions(device="cpu", threads=options.threads).start()
    run = load(options.run, "cpu")
    out = options.out or Path(f"{default_name(str(options.run), run.path)}{SUFFIXES[options.to]}")
    job = ExportJob(
        model=run.generator.model,
        metadata=run.generator.metadata,
        source=run.path,
        out=out,
        license=options.license,
        runtime=options.runtime,
    )
    lines = EXPORTS[options.to](job)
    if options.push:
        lines.append(f"uploaded: {hub.push(out, options.push)}")
    print_lines(options.quiet, *lines)
    return 0


def default_name(run: str, path: Path) -> str:
    """The default name of an export: that of the run folder, or of the repository on the Hub.

    Arguments:
        run: as written on the command line.
        path: where the run is on disk.

    >>> default_name("hf://user/cats@main", Path("cache/1234"))
    'cats'
    """
    if run.startswith("hf:/"):
        return run.partition("@")[0].rpartition("/")[2]
    return path.resolve().parent.name if path.is_file() else path.resolve().name
