"""`--to html`: a folder whose page runs the model in the visitor's browser, from any static host."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring import keyed
from sparring.errors import SparringError
from sparring.export import browser
from sparring.export.about import described, facts_of
from sparring.export.axes import principal
from sparring.export.folder import check_folder, write_folder
from sparring.export.graph import Graph, graphs
from sparring.export.onnx import rendered, runner
from sparring.export.parity import Parity, measure
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.games.translation import Translation

PAGE = Path(__file__).with_name("page")
MARK = "index.html"
SLIDERS = 6
BANK, BANK_BYTES = 256, 2**20  # latents that are shipped: at most so many, and so much


def write(
    kept: Kept, facts: Mapping[str, Any], out: Path, runtime: Path | None = None
) -> tuple[list[Parity], str]:
    """Write the folder: page, model, latents, directions, web runtime with its licence.

    Arguments:
        runtime: folder of onnxruntime-web; None takes it from the cache or through npm.

    Returns: how near the model's files are, and where the runtime came from.

    Raises:
        SparringError: the model has no pictures to show, or the runtime is not to be had.
    """
    if not isinstance(kept, Generation | Translation):
        raise SparringError(
            "a page for a classifier: it has no pictures to show",
            "a generator or a translator",
            "export it --to onnx",
        )
    check_folder(out, MARK)
    files, source = browser.runtime_files(runtime)
    used = [graph for graph in graphs(kept, facts) if graph.name != "encoder"]
    content, done = dict[str, bytes](), []
    for graph in used:
        file = f"{graph.name}.onnx"
        content[file] = rendered(graph, described(kept, facts, graph))
        parity = measure(graph, *runner(content[file], graph))
        content[f"{file}.parity.json"] = parity.render()
        done.append(parity)
    content |= {f"runtime/{name}": data for name, data in files.items()}
    content[f"runtime/{browser.LICENCE}"] = (PAGE / browser.LICENCE).read_bytes()
    notices = browser.notices()
    content |= {} if notices is None else {f"runtime/{browser.NOTICES}": notices}
    content["runtime/SOURCE.txt"] = f"{source}\nhttps://www.npmjs.com/package/onnxruntime-web\n".encode()
    content |= {name: (PAGE / name).read_bytes() for name in ("index.html", "page.css", "page.js")}
    content |= _numbers(kept) if isinstance(kept, Generation) else {}
    content["model.json"] = json.dumps(_facts(kept, facts, used), allow_nan=False).encode()
    write_folder(out, content, MARK)
    return done, source


def bank_size(latent: int) -> int:
    """How many latents are shipped."""
    return max(16, min(BANK, BANK_BYTES // (4 * latent)))


def _numbers(generation: Generation) -> dict[str, bytes]:
    """Latents of seed 0, which no other random generator than torch's would draw, and directions; little-endian float32."""
    bank = keyed.latents(0, range(bank_size(generation.latent)), generation.latent)
    axes = principal(generation, SLIDERS) if generation.spec.is_image else bank[:0]
    return {
        "latents.bin": bank.numpy().astype("<f4").tobytes(),
        "directions.bin": axes.numpy().astype("<f4").tobytes(),
    }


def _facts(kept: Generation | Translation, facts: Mapping[str, Any], used: list[Graph]) -> dict[str, Any]:
    about = facts_of(kept, facts)
    about["title"] = f"{facts['recipe']}, {_size(kept)}"
    about["said"] = f"Trained on {facts['images']:,} samples in all. Runs here, in your browser."
    about["graphs"] = [_graph(kept, graph) for graph in used]
    if isinstance(kept, Translation):
        return about | {"kind": "translator", "latent": 0, "bank": 0, "labels": [], "directions": []}
    count = bank_size(kept.latent)
    labels = kept.draw_labels(0, range(count))
    about |= {"kind": "pictures" if kept.spec.is_image else "points", "bank": count}
    about["labels"] = [] if labels is None else labels.tolist()
    directions = min(SLIDERS, kept.latent) if kept.spec.is_image else 0
    return about | {"directions": [f"axis {number + 1}" for number in range(directions)]}


def _graph(kept: Generation | Translation, graph: Graph) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": graph.name, "file": f"{graph.name}.onnx"}
    if isinstance(kept, Translation):
        source, target = kept.ends(graph.name)
        fixed = None if len(graph.free[0]) > 1 else list(graph.probe(0, 1)[0].shape[2:])
        multiple = graph.free[0].get(2, 1)
        entry |= {
            "from": list(source),
            "to": list(target),
            "multiple": multiple,
            "least": 2 * multiple,
            "fixed": fixed,
        }
    return entry


def _size(kept: Generation | Translation) -> str:
    shape = kept.spec.shape
    return f"{shape[2]} × {shape[1]} pixels" if kept.spec.is_image else f"points of {shape[0]} coordinates"
