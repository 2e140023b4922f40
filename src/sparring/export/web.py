"""`--to html`: a folder with a page that runs the model in the visitor's browser, from any static host."""

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
MAX_LATENTS, MAX_LATENTS_BYTES = 256, 2**20  # of `latents.bin`


def write_web_page(
    model: Model, metadata: Mapping[str, Any], out: Path, runtime: Path | None = None
) -> tuple[list[Parity], str]:
    """Write the folder: page, model, latents, directions, web runtime and its licence.

    Arguments:
        runtime: folder of onnxruntime-web; None uses the cache or npm.

    Returns: the parity of each graph, and the source of the runtime.

    Raises:
        SparringError: the model generates nothing, or the runtime is not available.
    """
    if model.kind not in PAGE_METADATA:
        kinds = " or ".join(f"a {kind}" for kind in PAGE_METADATA)
        raise SparringError(f"a web page for {model.summary}", kinds, "export it --to onnx")
    check_folder(out, INDEX_FILE)
    files, source = web_runtime.runtime_files(runtime)
    graphs = [graph for graph in build_graphs(model, metadata) if graph.name != "encoder"]
    content, parities = dict[str, bytes](), []
    for graph in graphs:
        file = f"{graph.name}.onnx"
        content[file] = serialize_onnx(graph, describe_graph(model, metadata, graph))
        parity = measure_parity(graph, *make_onnx_runner(content[file], graph))
        content[f"{file}.parity.json"] = parity.render()
        parities.append(parity)
    content |= {f"runtime/{name}": data for name, data in files.items()}
    content[f"runtime/{web_runtime.LICENSE_FILE}"] = (PAGE_FOLDER / web_runtime.LICENSE_FILE).read_bytes()
    notices = web_runtime.read_notices()
    content |= {} if notices is None else {f"runtime/{web_runtime.NOTICES_FILE}": notices}
    content["runtime/SOURCE.txt"] = f"{source}\nhttps://www.npmjs.com/package/onnxruntime-web\n".encode()
    content |= {name: (PAGE_FOLDER / name).read_bytes() for name in ("index.html", "page.css", "page.js")}
    content |= _binary_files(model) if isinstance(model, GeneratorModel) else {}
    content["model.json"] = json.dumps(_page_metadata(model, metadata, graphs), allow_nan=False).encode()
    write_folder(out, content, INDEX_FILE)
    return parities, source


def count_latents(latent: int) -> int:
    """The number of latents in `latents.bin`, for latents of this dimension."""
    return max(16, min(MAX_LATENTS, MAX_LATENTS_BYTES // (4 * latent)))


def _binary_files(generation: GeneratorModel) -> dict[str, bytes]:
    """Latents of seed 0, which only torch's random generator reproduces, and directions; little-endian float32."""
    latents = rng.sample_latents(0, range(count_latents(generation.latent)), generation.latent)
    directions = (
        find_principal_directions(generation, NUM_DIRECTIONS) if generation.spec.is_image else latents[:0]
    )
    return {
        "latents.bin": latents.numpy().astype("<f4").tobytes(),
        "directions.bin": directions.numpy().astype("<f4").tobytes(),
    }


def _page_metadata(model: Model, metadata: Mapping[str, Any], graphs: list[Graph]) -> dict[str, Any]:
    document = describe_model(model, metadata)
    document["title"] = f"{metadata['recipe']}, {_describe_size(model)}"
    document["subtitle"] = (
        f"Trained on {metadata['images']:,} samples in total. The model runs in your browser."
    )
    document["graphs"] = [_graph_metadata(model, graph) for graph in graphs]
    return document | PAGE_METADATA[model.kind](model)


def _generator_metadata(model: GeneratorModel) -> dict[str, Any]:
    count = count_latents(model.latent)
    labels = model.draw_labels(0, range(count))
    directions = min(NUM_DIRECTIONS, model.latent) if model.spec.is_image else 0
    return {
        "kind": "images" if model.spec.is_image else "points",
        "num_latents": count,
        "labels": [] if labels is None else labels.tolist(),
        "directions": [f"PC {number + 1}" for number in range(directions)],
    }


def _translator_metadata(model: TranslatorModel) -> dict[str, Any]:
    return {"kind": "translator", "latent": 0, "num_latents": 0, "labels": [], "directions": []}


PAGE_METADATA: dict[str, Callable[[Any], dict[str, Any]]] = {
    "generator": _generator_metadata,
    "translator": _translator_metadata,
}  # by Model.kind


def _graph_metadata(model: Model, graph: Graph) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": graph.name, "file": f"{graph.name}.onnx"}
    if isinstance(model, TranslatorModel):
        source, target = model.ends(graph.name)
        fixed_size = None if len(graph.dynamic_axes[0]) > 1 else list(graph.example_inputs(0, 1)[0].shape[2:])
        multiple = graph.dynamic_axes[0].get(2, 1)
        entry |= {
            "input_shape": list(source),
            "output_shape": list(target),
            "multiple": multiple,
            "min_size": 2 * multiple,
            "fixed_size": fixed_size,
        }
    return entry


def _describe_size(model: Model) -> str:
    shape = model.spec.shape
    return f"{shape[2]} × {shape[1]} pixels" if model.spec.is_image else f"points of {shape[0]} coordinates"


PCA_SAMPLES = 512


@torch.no_grad()
def find_principal_directions(generation: GeneratorModel, count: int, seed: int = 0) -> Tensor:
    """Orthonormal directions (k, z), k <= `count`: the regression of the samples' first principal components on the latents.

        x - mean = U S V^T,  d_k ~ z^T (U S)_k,  orthogonalised in this order

    Deviation: the components are those of the samples, not of a layer's activations.

    References: Härkönen, Hertzmann, Lehtinen & Paris 2020, "GANSpace: discovering interpretable GAN controls", arXiv:2004.02546,
    sec. 2.2 (regression from components to latents).
    """
    z = rng.sample_latents(seed, range(PCA_SAMPLES), generation.latent)
    device = generation.shares.device
    labels = generation.draw_labels(seed, range(PCA_SAMPLES))
    y = None if labels is None else labels.to(device)
    batches = [
        generation(z[rows].to(device), None if y is None else y[rows]).flatten(1).float().cpu()
        for rows in torch.arange(PCA_SAMPLES).split(64)
    ]
    x = torch.cat(batches)
    x = x - x.mean(0)
    values, vectors = torch.linalg.eigh(x @ x.T)
    num_directions = min(count, generation.latent)
    scores = (vectors * values.clamp_min(0).sqrt()).flip(1)[:, :num_directions]
    return torch.linalg.qr(z.T @ scores)[0].T.contiguous()
