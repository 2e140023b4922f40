"""`--to onnx`: one file for any ONNX runtime, compared with PyTorch before it is written.

References: ONNX operator set 20 (the exporter's default with PyTorch 2.10 and later); Deviation: none.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sparring.export.extras import MissingExtraError, suppress_output
from sparring.export.graph import Graph, build_graphs, describe_graph
from sparring.export.output import OutputFiles
from sparring.export.parity import Parity, RunFunction, measure_parity
from sparring.export.torch_export import build_dynamic_shapes
from sparring.models.model import Model

OPSET = 20


def write_onnx(model: Model, metadata: Mapping[str, Any], files: OutputFiles) -> list[Parity]:
    """Write each of the model's graphs as `.onnx`, with the figures of how near it is beside it.

    Raises:
        ParityError: a file does not compute what the model does; then nothing is written.
        MissingExtra: onnx, onnxscript or onnxruntime is not installed.
    """
    done = []
    for graph in build_graphs(model, metadata):
        content = serialize_onnx(graph, describe_graph(model, metadata, graph))
        parity = measure_parity(graph, *make_onnx_runner(content, graph))
        files.add(graph.name, ".onnx", content, parity)
        done.append(parity)
    return done


def serialize_onnx(graph: Graph, about: str) -> bytes:
    """The bytes of the graph's ONNX file: inputs and output by name, `about` in its metadata under `sparring`."""
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(str(error.name), "export") from error
    with suppress_output():
        program = torch.onnx.export(
            graph.module,
            graph.example_inputs(0, 2),
            dynamo=True,
            opset_version=OPSET,
            input_names=graph.inputs,
            output_names=[graph.output],
            dynamic_shapes=build_dynamic_shapes(graph),
            external_data=False,
            verbose=False,
        )
        assert program is not None
        proto = program.model_proto
    onnx.helper.set_model_props(proto, {"sparring": about})
    proto.producer_name = "sparring"
    content: bytes = proto.SerializeToString()
    return content


def make_onnx_runner(content: bytes, graph: Graph) -> tuple[RunFunction, str]:
    """How ONNX Runtime runs the file, and its version."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "export") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(inputs: tuple[Tensor, ...]) -> Tensor:
        named = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        return torch.from_numpy(session.run([graph.output], named)[0])

    return run, f"onnxruntime {onnxruntime.__version__}"
