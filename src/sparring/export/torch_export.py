"""`--to torch`: programs of torch.export, which run without Sparring (and in C++ by AOTInductor)."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from sparring.export.graph import Graph, build_graphs, describe_graph
from sparring.export.output import OutputFiles
from sparring.export.parity import Parity, measure_parity
from sparring.models.model import Model


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """A context in which libraries print, warn and log nothing."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)


def export_program(graph: Graph) -> ExportedProgram:
    """The graph as a program of torch.export, with its dynamic axes."""
    with suppress_output():
        return torch.export.export(
            graph.module, graph.example_inputs(0, 2), dynamic_shapes=build_dynamic_shapes(graph), strict=False
        )


def build_dynamic_shapes(graph: Graph) -> tuple[Any, ...]:
    """The `dynamic_shapes` argument of the exporters: one batch dimension for all inputs, independent heights and widths."""
    batch: Any = Dim.DYNAMIC
    return tuple(
        {axis: batch if axis == 0 else _dynamic_dim(axis, multiple) for axis, multiple in axes.items()}
        or None
        for axes in graph.dynamic_axes
    )


def _dynamic_dim(axis: int, multiple: int) -> Any:
    factor = Dim(f"side{axis}", min=2, max=4096 // multiple)
    return multiple * factor if multiple > 1 else factor


def write_torch_export(model: Model, metadata: Mapping[str, Any], files: OutputFiles) -> list[Parity]:
    """Write each graph of a model as `.pt2`, with a `.parity.json` beside it. Sparring never loads such a file: it contains code,
    so that whoever loads it must trust its author.

    Raises:
        ParityError: a program differs from the model; then nothing is written.
    """
    parities = []
    for graph in build_graphs(model, metadata):
        program = export_program(graph)
        module, buffer = program.module(), io.BytesIO()
        parity = measure_parity(graph, lambda inputs, run=module: run(*inputs), "torch.export")  # type: ignore[misc]
        with suppress_output():
            torch.export.save(
                program, buffer, extra_files={"sparring.json": describe_graph(model, metadata, graph)}
            )
        files.add(graph.name, ".pt2", buffer.getvalue(), parity)
        parities.append(parity)
    return parities
