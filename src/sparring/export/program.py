"""`--to torch`: PyTorch's own exported program, which runs without Sparring (and in C++ by AOTInductor)."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from sparring.export.about import described
from sparring.export.files import Files
from sparring.export.graph import Graph, graphs
from sparring.export.parity import Parity, measure
from sparring.export.quiet import quiet
from sparring.games.classification import Kept


def exported(graph: Graph) -> ExportedProgram:
    """The graph as PyTorch's exported program, with its free sides."""
    with quiet():
        return torch.export.export(
            graph.module, graph.probe(0, 2), dynamic_shapes=free_sides(graph), strict=False
        )


def free_sides(graph: Graph) -> tuple[Any, ...]:
    """What the exporter is told of the inputs' sides: one batch for all, and each side for itself."""
    batch: Any = Dim.DYNAMIC
    return tuple(
        {side: batch if side == 0 else _multiple(side, many) for side, many in sides.items()} or None
        for sides in graph.free
    )


def _multiple(side: int, many: int) -> Any:
    free = Dim(f"side{side}", min=2, max=4096 // many)
    return many * free if many > 1 else free


def write(kept: Kept, facts: Mapping[str, Any], files: Files) -> list[Parity]:
    """Write each of the model's graphs as `.pt2`, with the figures of how near it is beside it. We never load such a file: as a
    zip of code and numbers it is for those who trust its maker.

    Raises:
        ParityError: a program does not compute what the model does; then nothing is written.
    """
    done = []
    for graph in graphs(kept, facts):
        program = exported(graph)
        module, buffer = program.module(), io.BytesIO()
        parity = measure(graph, lambda given, run=module: run(*given), "torch.export")  # type: ignore[misc]
        with quiet():
            torch.export.save(program, buffer, extra_files={"sparring.json": described(kept, facts, graph)})
        files.add(graph.name, ".pt2", buffer.getvalue(), parity)
        done.append(parity)
    return done
