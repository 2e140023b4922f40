"""`--to onnx`: files for any ONNX runtime, compared with PyTorch before they are written.

They use ONNX operator set 20, the exporter's default with PyTorch 2.10 and later.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sparring.export.graph import Graph, build_graphs, describe_graph
from sparring.export.output import MissingExtraError, OutputFiles
from sparring.export.parity import Parity, RunFunction, measure_parity
from sparring.export.torch_export import build_dynamic_shapes, suppress_output
from sparring.models.model import Model

OPSET = 20


def write_onnx(model: Model, metadata: Mapping[str, Any], files: OutputFiles) -> list[Parity]:
    """Write each graph of a model as `.onnx`, with a `.parity.json` beside it.

    Raises:
        ParityError: a file differs from the model; then nothing is written.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
    """
    parities = []
    for graph in build_graphs(model, metadata):
        content = serialize_onnx(graph, describe_graph(model, metadata, graph))
        parity = measure_parity(graph, *make_onnx_runner(content, graph))
        files.add(graph.name, ".onnx", content, parity)
        parities.append(parity)
    return parities


def serialize_onnx(graph: Graph, metadata: str) -> bytes:
    """The graph as the bytes of an ONNX file, with `metadata` (JSON) in its properties under `sparring`."""
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
    onnx.helper.set_model_props(proto, {"sparring": metadata})
    proto.producer_name = "sparring"
    content: bytes = proto.SerializeToString()
    return content


def make_onnx_runner(content: bytes, graph: Graph) -> tuple[RunFunction, str]:
    """A function that runs an ONNX file with ONNX Runtime, and the runtime's name and version."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "export") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(inputs: tuple[Tensor, ...]) -> Tensor:
        feeds = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        return torch.from_numpy(session.run([graph.output], feeds)[0])

    return run, f"onnxruntime {onnxruntime.__version__}"
