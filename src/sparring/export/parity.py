"""Numerical parity of an exported file with PyTorch, measured on inputs other than those of the export."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.export.graph import Graph

BATCH_SIZES = (1, 2, 5)
MAX_DIFFERENCE = 1e-4  # greatest accepted absolute difference
RunFunction = Callable[[tuple[Tensor, ...]], Tensor]


class ParityError(SparringError):
    """An exported file differs from the model; it was not written."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Differences between a file and PyTorch.

    Arguments:
        graph: name of the graph.
        runtime: that ran the file, with its version.
        differences: greatest absolute difference at each batch size: of images in [-1, 1], of points in units of the data's scale.
        num_samples: tested at each batch size.
    """

    graph: str
    runtime: str
    differences: dict[int, float]
    num_samples: int

    @property
    def max_difference(self) -> float:
        """The greatest difference over all batch sizes."""
        return max(self.differences.values())

    def render(self) -> bytes:
        """The content of a `.parity.json`."""
        document = {
            "graph": self.graph,
            "reference": f"torch {torch.__version__}",
            "runtime": self.runtime,
            "samples": self.num_samples,
            "max_abs_difference": {str(batch): value for batch, value in self.differences.items()},
            "tolerance": MAX_DIFFERENCE,
        }
        return json.dumps(document, indent=1).encode()

    def __str__(self) -> str:
        return (
            f"{self.graph}: largest difference from PyTorch {self.max_difference:.1e} "
            f"({self.num_samples} samples at batch {', '.join(map(str, self.differences))}; {self.runtime})"
        )


def measure_parity(graph: Graph, run: RunFunction, runtime: str, num_samples: int = 0) -> Parity:
    """Compare a file with PyTorch at several batch sizes.

    Arguments:
        run: computes the file's output from the graph's inputs.
        runtime: name and version of what `run` uses.
        num_samples: to test on; 0 for the graph's own number.

    Raises:
        ParityError: it differs by more than `MAX_DIFFERENCE`, or its output is not finite.
    """
    largest, num_samples = {}, num_samples or graph.num_samples
    for seed, batch in enumerate(BATCH_SIZES):
        inputs = graph.example_inputs(seed, num_samples)
        parts = [_rows(inputs, start, batch) for start in range(0, num_samples, batch)]
        differences = [float((run(part) - graph(part)).abs().max()) / graph.output_scale for part in parts]
        largest[batch] = max(
            differences, key=lambda value: (value != value, value)
        )  # NaN counts as the largest
    parity = Parity(graph=graph.name, runtime=runtime, differences=largest, num_samples=num_samples)
    if not all(value <= MAX_DIFFERENCE for value in largest.values()):
        raise ParityError(
            f"the exported {graph.name} differs from PyTorch by {parity.max_difference:.2g}",
            f"at most {MAX_DIFFERENCE:g}",
            "nothing was written; export --to another kind, and report this run's settings",
        )
    return parity


def _rows(inputs: tuple[Tensor, ...], start: int, batch: int) -> tuple[Tensor, ...]:
    return tuple(part[start : start + batch] if part.dim() else part for part in inputs)
