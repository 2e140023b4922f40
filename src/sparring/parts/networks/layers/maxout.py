"""Maxout: each unit is the largest of several linear maps."""

from torch import Tensor, nn


class Maxout(nn.Module):
    """Each unit is the largest of several linear maps.

        h_i(x) = max_j  x^T W_ij + b_ij,  j = 1 .. pieces

    References:
        Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, "Maxout networks", arXiv 1302.4389, sec. 3.

    Arguments:
        inputs: size of the input.
        units: size of the output.
        pieces: linear maps per unit. `linear.weight` is (pieces * units, inputs), piece by piece.

    Shape: (b, inputs) to (b, units).
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(inputs, pieces * units)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(1, (self.pieces, -1)).max(1).values
