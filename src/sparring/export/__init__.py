"""Export of a trained model: ONNX, Hugging Face layout, torch.export, a web page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.export import hub, onnx, torch_export, web
from sparring.export.output import OutputFiles
from sparring.models.model import Model


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """What is exported, and where to.

    Arguments:
        kept: the network, in evaluation mode, on the CPU.
        facts: `recipe`, `images`, `units`, `classes`.
        source: the run folder or generator's file that it came from.
        out: a file, or for `safetensors` and `html` a folder.
        licence: of the weights, for the model card.
        runtime: folder of onnxruntime-web, for pages.
    """

    model: Model
    metadata: Mapping[str, Any]
    source: Path
    out: Path
    license: str = ""
    runtime: Path | None = None


def _export_onnx(job: ExportJob) -> list[str]:
    files = OutputFiles(job.out)
    done = onnx.write_onnx(job.model, job.metadata, files)
    return [*map(str, done), f"in {', '.join(map(str, files.write()))}"]


def _export_torch(job: ExportJob) -> list[str]:
    files = OutputFiles(job.out)
    done = torch_export.write_torch_export(job.model, job.metadata, files)
    return [*map(str, done), f"in {', '.join(map(str, files.write()))}"]


def _export_html(job: ExportJob) -> list[str]:
    done, source = web.write_web_page(job.model, job.metadata, job.out, job.runtime)
    how = f"open it: python -m http.server -d {job.out} 8000, then http://localhost:8000 (or put it on any static host)"
    return [*map(str, done), f"in {job.out}, with {source}", how]


def _export_safetensors(job: ExportJob) -> list[str]:
    hub.write_hub_folder(job.model, job.metadata, job.source, job.out, job.license)
    return [f"in {job.out}; sparring.load({str(job.out)!r}) opens it"]


EXPORTS: dict[str, Callable[[ExportJob], list[str]]] = {
    "onnx": _export_onnx,
    "safetensors": _export_safetensors,
    "torch": _export_torch,
    "html": _export_html,
}
