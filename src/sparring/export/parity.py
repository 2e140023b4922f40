"""Whether an exported file computes what PyTorch does: measured on numbers that it was not made from, and written beside it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.export.graph import Graph

BATCHES = (1, 2, 5)
MOST = 1e-4  # the greatest difference that is let through
Runs = Callable[[tuple[Tensor, ...]], Tensor]


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
    by: str
    largest: dict[int, float]
    samples: int

    @property
    def worst(self) -> float:
        return max(self.largest.values())

    def render(self) -> bytes:
        """As JSON."""
        document = {
            "graph": self.graph,
            "against": f"torch {torch.__version__}",
            "by": self.by,
            "samples": self.samples,
            "largest_difference": {str(batch): value for batch, value in self.largest.items()},
            "at_most": MOST,
        }
        return json.dumps(document, indent=1).encode()

    def __str__(self) -> str:
        return (
            f"{self.graph}: largest difference to PyTorch {self.worst:.1e} "
            f"({self.samples} samples at batch {', '.join(map(str, self.largest))}; {self.by})"
        )


def measure(graph: Graph, runs: Runs, by: str, samples: int = 0) -> Parity:
    """Try a file at several batch sizes.

    Arguments:
        runs: from the graph's inputs to the file's output.
        by: what runs it, with its version.
        samples: to try it on; 0 for the graph's own number.

    Raises:
        ParityError: it differs by more than `MOST`, or makes what is not finite.
    """
    largest, samples = {}, samples or graph.samples
    for number, batch in enumerate(BATCHES):
        given = graph.probe(number, samples)
        parts = [_rows(given, start, batch) for start in range(0, samples, batch)]
        differences = [float((runs(part) - graph(part)).abs().max()) / graph.scale for part in parts]
        largest[batch] = max(differences, key=lambda value: (value != value, value))  # NaN is the worst
    found = Parity(graph=graph.name, by=by, largest=largest, samples=samples)
    if not all(value <= MOST for value in largest.values()):
        raise ParityError(
            f"the exported {graph.name} differs from PyTorch by {found.worst:.2g}",
            f"at most {MOST:g}",
            "nothing was written; export to another kind, and tell us which settings these were",
        )
    return found


def _rows(given: tuple[Tensor, ...], start: int, batch: int) -> tuple[Tensor, ...]:
    return tuple(part[start : start + batch] if part.dim() else part for part in given)
