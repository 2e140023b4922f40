"""`--to html`: a folder whose page runs the model in the visitor's browser, from any static host."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import SparringError
from sparring.export import web_runtime
from sparring.export.graph import Graph, build_graphs, describe_graph, describe_model
from sparring.export.onnx import make_onnx_runner, serialize_onnx
from sparring.export.output import check_folder, write_folder
from sparring.export.parity import Parity, measure_parity
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import TranslatorModel

PAGE_FOLDER = Path(__file__).with_name("page")
INDEX_FILE = "index.html"
NUM_DIRECTIONS = 6
MAX_LATENTS, MAX_LATENTS_BYTES = 256, 2**20  # latents that are shipped: at most so many, and so much


def write_web_page(
    model: Model, metadata: Mapping[str, Any], out: Path, runtime: Path | None = None
) -> tuple[list[Parity], str]:
    """Write the folder: page, model, latents, directions, web runtime with its licence.

    Arguments:
        runtime: folder of onnxruntime-web; None takes it from the cache or through npm.

    Returns: how near the model's files are, and where the runtime came from.

    Raises:
        SparringError: the model has no images to show, or the runtime is not to be had.
    """
    if model.kind not in PAGE_METADATA:
        kinds = " or ".join(f"a {kind}" for kind in PAGE_METADATA)
        raise SparringError(f"a web page for {model.summary}", kinds, "export it --to onnx")
    check_folder(out, INDEX_FILE)
    files, source = web_runtime.runtime_files(runtime)
    used = [graph for graph in build_graphs(model, metadata) if graph.name != "encoder"]
    content, done = dict[str, bytes](), []
    for graph in used:
        file = f"{graph.name}.onnx"
        content[file] = serialize_onnx(graph, describe_graph(model, metadata, graph))
        parity = measure_parity(graph, *make_onnx_runner(content[file], graph))
        content[f"{file}.parity.json"] = parity.render()
        done.append(parity)
    content |= {f"runtime/{name}": data for name, data in files.items()}
    content[f"runtime/{web_runtime.LICENSE_FILE}"] = (PAGE_FOLDER / web_runtime.LICENSE_FILE).read_bytes()
    notices = web_runtime.read_notices()
    content |= {} if notices is None else {f"runtime/{web_runtime.NOTICES_FILE}": notices}
    content["runtime/SOURCE.txt"] = f"{source}\nhttps://www.npmjs.com/package/onnxruntime-web\n".encode()
    content |= {name: (PAGE_FOLDER / name).read_bytes() for name in ("index.html", "page.css", "page.js")}
    content |= _binary_files(model) if isinstance(model, GeneratorModel) else {}
    content["model.json"] = json.dumps(_page_metadata(model, metadata, used), allow_nan=False).encode()
    write_folder(out, content, INDEX_FILE)
    return done, source


def count_latents(latent: int) -> int:
    """How many latents are shipped."""
    return max(16, min(MAX_LATENTS, MAX_LATENTS_BYTES // (4 * latent)))


def _binary_files(generation: GeneratorModel) -> dict[str, bytes]:
    """Latents of seed 0, which no other random generator than torch's would draw, and directions; little-endian float32."""
    bank = rng.sample_latents(0, range(count_latents(generation.latent)), generation.latent)
    axes = find_principal_directions(generation, NUM_DIRECTIONS) if generation.spec.is_image else bank[:0]
    return {
        "latents.bin": bank.numpy().astype("<f4").tobytes(),
        "directions.bin": axes.numpy().astype("<f4").tobytes(),
    }


def _page_metadata(model: Model, metadata: Mapping[str, Any], used: list[Graph]) -> dict[str, Any]:
    about = describe_model(model, metadata)
    about["title"] = f"{metadata['recipe']}, {_describe_size(model)}"
    about["said"] = f"Trained on {metadata['images']:,} samples in all. Runs here, in your browser."
    about["graphs"] = [_graph_metadata(model, graph) for graph in used]
    return about | PAGE_METADATA[model.kind](model)


def _generator_metadata(model: GeneratorModel) -> dict[str, Any]:
    count = count_latents(model.latent)
    labels = model.draw_labels(0, range(count))
    directions = min(NUM_DIRECTIONS, model.latent) if model.spec.is_image else 0
    return {
        "kind": "pictures" if model.spec.is_image else "points",
        "bank": count,
        "labels": [] if labels is None else labels.tolist(),
        "directions": [f"axis {number + 1}" for number in range(directions)],
    }


def _translator_metadata(model: TranslatorModel) -> dict[str, Any]:
    return {"kind": "translator", "latent": 0, "bank": 0, "labels": [], "directions": []}


PAGE_METADATA: dict[str, Callable[[Any], dict[str, Any]]] = {
    "generator": _generator_metadata,
    "translator": _translator_metadata,
}  # by Model.kind


def _graph_metadata(model: Model, graph: Graph) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": graph.name, "file": f"{graph.name}.onnx"}
    if isinstance(model, TranslatorModel):
        source, target = model.ends(graph.name)
        fixed = None if len(graph.dynamic_axes[0]) > 1 else list(graph.example_inputs(0, 1)[0].shape[2:])
        multiple = graph.dynamic_axes[0].get(2, 1)
        entry |= {
            "from": list(source),
            "to": list(target),
            "multiple": multiple,
            "least": 2 * multiple,
            "fixed": fixed,
        }
    return entry


def _describe_size(model: Model) -> str:
    shape = model.spec.shape
    return f"{shape[2]} × {shape[1]} pixels" if model.spec.is_image else f"points of {shape[0]} coordinates"


PCA_SAMPLES = 512


@torch.no_grad()
def find_principal_directions(generation: GeneratorModel, count: int, seed: int = 0) -> Tensor:
    """Unit directions (k, z), k <= `count`, orthogonal: what the samples' first principal components say of z.

        x - mean = U S V^T,  d_k ~ z^T (U S)_k,  made orthogonal in their order

    Deviation: the samples themselves take the place of a layer's activations.

    References: Härkönen, Hertzmann, Lehtinen & Paris 2020, "GANSpace: discovering interpretable GAN controls", arXiv:2004.02546,
    sec. 2.2 (regression from components to latents).
    """
    z = rng.sample_latents(seed, range(PCA_SAMPLES), generation.latent)
    device = generation.shares.device
    labels = generation.draw_labels(seed, range(PCA_SAMPLES))
    y = None if labels is None else labels.to(device)
    parts = [
        generation(z[rows].to(device), None if y is None else y[rows]).flatten(1).float().cpu()
        for rows in torch.arange(PCA_SAMPLES).split(64)
    ]
    x = torch.cat(parts)
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x @ x.T)
    few = min(count, generation.latent)
    scores = (vectors * values.clamp_min(0).sqrt()).flip(1)[:, :few]
    return torch.linalg.qr(z.T @ scores)[0].T.contiguous()
