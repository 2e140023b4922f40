"""A trained run in other forms: ONNX, Hugging Face layout, torch.export, a page for the browser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.export import hub, onnx, program, web
from sparring.export.files import Files
from sparring.games.classification import Kept


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is exported, and where to.

    Arguments:
        kept: the network, in evaluation mode, on the CPU.
        facts: `recipe`, `images`, `units`, `classes`.
        source: the run folder or generator's file that it came from.
        out: a file, or for `safetensors` and `html` a folder.
        licence: of the weights, for the model card.
        runtime: folder of onnxruntime-web, for pages.
    """

    kept: Kept
    facts: Mapping[str, Any]
    source: Path
    out: Path
    licence: str = ""
    runtime: Path | None = None


def _onnx(job: Job) -> list[str]:
    files = Files(job.out)
    done = onnx.write(job.kept, job.facts, files)
    return [*map(str, done), f"in {', '.join(map(str, files.write()))}"]


def _program(job: Job) -> list[str]:
    files = Files(job.out)
    done = program.write(job.kept, job.facts, files)
    return [*map(str, done), f"in {', '.join(map(str, files.write()))}"]


def _page(job: Job) -> list[str]:
    done, source = web.write(job.kept, job.facts, job.out, job.runtime)
    how = f"open it: python -m http.server -d {job.out} 8000, then http://localhost:8000 (or put it on any static host)"
    return [*map(str, done), f"in {job.out}, with {source}", how]


def _hub(job: Job) -> list[str]:
    hub.write(job.kept, job.facts, job.source, job.out, job.licence)
    return [f"in {job.out}; sparring.load({str(job.out)!r}) opens it"]


EXPORTS: dict[str, Callable[[Job], list[str]]] = {
    "onnx": _onnx,
    "safetensors": _hub,
    "torch": _program,
    "html": _page,
}
