"""`--to torch`: PyTorch's own exported program, which runs without Sparring (and in C++ by AOTInductor)."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from sparring.export.extras import suppress_output
from sparring.export.graph import Graph, build_graphs, describe_graph
from sparring.export.output import OutputFiles
from sparring.export.parity import Parity, measure_parity
from sparring.models.model import Model


def export_program(graph: Graph) -> ExportedProgram:
    """The graph as PyTorch's exported program, with its free sides."""
    with suppress_output():
        return torch.export.export(
            graph.module, graph.example_inputs(0, 2), dynamic_shapes=build_dynamic_shapes(graph), strict=False
        )


def build_dynamic_shapes(graph: Graph) -> tuple[Any, ...]:
    """What the exporter is told of the inputs' sides: one batch for all, and each side for itself."""
    batch: Any = Dim.DYNAMIC
    return tuple(
        {side: batch if side == 0 else _dynamic_dim(side, many) for side, many in sides.items()} or None
        for sides in graph.dynamic_axes
    )


def _dynamic_dim(side: int, multiple: int) -> Any:
    free = Dim(f"side{side}", min=2, max=4096 // multiple)
    return multiple * free if multiple > 1 else free


def write_torch_export(model: Model, metadata: Mapping[str, Any], files: OutputFiles) -> list[Parity]:
    """Write each of the model's graphs as `.pt2`, with the figures of how near it is beside it. We never load such a file: as a
    zip of code and numbers it is for those who trust its maker.

    Raises:
        ParityError: a program does not compute what the model does; then nothing is written.
    """
    done = []
    for graph in build_graphs(model, metadata):
        program = export_program(graph)
        module, buffer = program.module(), io.BytesIO()
        parity = measure_parity(graph, lambda given, run=module: run(*given), "torch.export")  # type: ignore[misc]
        with suppress_output():
            torch.export.save(
                program, buffer, extra_files={"sparring.json": describe_graph(model, metadata, graph)}
            )
        files.add(graph.name, ".pt2", buffer.getvalue(), parity)
        done.append(parity)
    return done
