"""Numerical parity of an exported file with PyTorch: measured on inputs that it was not exported with, and
written beside it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.export.graph import Graph

BATCH_SIZES = (1, 2, 5)
MAX_DIFFERENCE = 1e-4  # the greatest difference that is let through
RunFunction = Callable[[tuple[Tensor, ...]], Tensor]


class ParityError(SparringError):
    """An exported file does not compute what the model does; it was not kept."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How far a file is from PyTorch.

    Arguments:
        graph: its name.
        by: what ran the file.
        largest: greatest absolute difference at each batch size, in units of [-1, 1] or of the data's scale.
        samples: tried at each batch size.
    """

    graph: str
    runtime: str
    differences: dict[int, float]
    samples: int

    @property
    def max_difference(self) -> float:
        return max(self.differences.values())

    def render(self) -> bytes:
        """As JSON."""
        document = {
            "graph": self.graph,
            "against": f"torch {torch.__version__}",
            "by": self.runtime,
            "samples": self.samples,
            "largest_difference": {str(batch): value for batch, value in self.differences.items()},
            "at_most": MAX_DIFFERENCE,
        }
        return json.dumps(document, indent=1).encode()

    def __str__(self) -> str:
        return (
            f"{self.graph}: largest difference to PyTorch {self.max_difference:.1e} "
            f"({self.samples} samples at batch {', '.join(map(str, self.differences))}; {self.runtime})"
        )


def measure_parity(graph: Graph, run: RunFunction, runtime: str, samples: int = 0) -> Parity:
    """Try a file at several batch sizes.

    Arguments:
        runs: from the graph's inputs to the file's output.
        by: what runs it, with its version.
        samples: to try it on; 0 for the graph's own number.

    Raises:
        ParityError: it differs by more than `MAX_DIFFERENCE`, or makes what is not finite.
    """
    largest, samples = {}, samples or graph.samples
    for number, batch in enumerate(BATCH_SIZES):
        given = graph.example_inputs(number, samples)
        parts = [_rows(given, start, batch) for start in range(0, samples, batch)]
        differences = [float((run(part) - graph(part)).abs().max()) / graph.scale for part in parts]
        largest[batch] = max(differences, key=lambda value: (value != value, value))  # NaN is the worst
    found = Parity(graph=graph.name, runtime=runtime, differences=largest, samples=samples)
    if not all(value <= MAX_DIFFERENCE for value in largest.values()):
        raise ParityError(
            f"the exported {graph.name} differs from PyTorch by {found.max_difference:.2g}",
            f"at most {MAX_DIFFERENCE:g}",
            "nothing was written; export to another kind, and tell us which settings these were",
        )
    return found


def _rows(inputs: tuple[Tensor, ...], start: int, batch: int) -> tuple[Tensor, ...]:
    return tuple(part[start : start + batch] if part.dim() else part for part in inputs)
