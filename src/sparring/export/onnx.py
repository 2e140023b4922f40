"""`--to onnx`: one file that runs wherever ONNX does, tried against PyTorch before it is kept.

References: ONNX operator set 20 (the exporter's default with PyTorch 2.10 and later); Deviation: none.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sparring.export.about import described
from sparring.export.files import Files
from sparring.export.graph import Graph, graphs
from sparring.export.parity import Parity, Runs, measure
from sparring.export.program import free_sides
from sparring.export.quiet import MissingExtra, quiet
from sparring.games.classification import Kept

OPSET = 20


def write(kept: Kept, facts: Mapping[str, Any], files: Files) -> list[Parity]:
    """Write each of the model's graphs as `.onnx`, with the figures of how near it is beside it.

    Raises:
        ParityError: a file does not compute what the model does; then nothing is written.
        MissingExtra: onnx, onnxscript or onnxruntime is not installed.
    """
    done = []
    for graph in graphs(kept, facts):
        content = rendered(graph, described(kept, facts, graph))
        parity = measure(graph, *runner(content, graph))
        files.add(graph.name, ".onnx", content, parity)
        done.append(parity)
    return done


def rendered(graph: Graph, about: str) -> bytes:
    """The bytes of the graph's ONNX file: inputs and output by name, `about` in its metadata under `sparring`."""
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtra(str(error.name), "export") from error
    with quiet():
        program = torch.onnx.export(
            graph.module,
            graph.probe(0, 2),
            dynamo=True,
            opset_version=OPSET,
            input_names=graph.inputs,
            output_names=[graph.output],
            dynamic_shapes=free_sides(graph),
            external_data=False,
            verbose=False,
        )
        assert program is not None
        proto = program.model_proto
    onnx.helper.set_model_props(proto, {"sparring": about})
    proto.producer_name = "sparring"
    content: bytes = proto.SerializeToString()
    return content


def runner(content: bytes, graph: Graph) -> tuple[Runs, str]:
    """How ONNX Runtime runs the file, and its version."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("onnxruntime", "export") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(given: tuple[Tensor, ...]) -> Tensor:
        named = {name: value.numpy() for name, value in zip(graph.inputs, given, strict=True)}
        return torch.from_numpy(session.run([graph.output], named)[0])

    return run, f"onnxruntime {onnxruntime.__version__}"
