"""Euclidean distances between two clouds of features, tile by tile: what looks for neighbours reads, and memory stays small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

SIDE = 2048  # rows and columns of a tile: 32 MB in float64
ROUNDING = 16 * torch.finfo(torch.float64).eps  # of a squared distance, as a share of |x|^2 + |y|^2


class Tile(NamedTuple):
    """Squared distances between `rows` of one cloud and `columns` of another."""

    rows: slice
    columns: slice
    squares: Tensor


class Nearest(NamedTuple):
    """The k nearest of each query, nearest first: squared distances (n, k) and indices (n, k)."""

    squares: Tensor
    indices: Tensor


def tiles(a: Tensor, b: Tensor, slack: float = 0.0) -> Iterator[Tile]:
    """|x|^2 - 2 x.y + |y|^2, at least 0, for all x of `a` (n, d) and y of `b` (m, d), both float64.

    `slack` adds that share of |x|^2 + |y|^2. With `ROUNDING`, a distance that equals a radius but for rounding is not
    below it: a copy of a neighbour is then on the edge of the ball, on any machine.
    """
    a_norms, b_norms = norms(a) * (1 + slack), norms(b) * (1 + slack)
    for rows in spans(len(a)):
        for columns in spans(len(b)):
            yield Tile(rows, columns, _squares(a[rows], b[columns], a_norms[rows], b_norms[columns]))


def own_tiles(a: Tensor, itself: float = 0.0) -> Iterator[Tile]:
    """The tiles of a cloud against itself on and above the diagonal, where each sample is `itself` away from itself."""
    a_norms = norms(a)
    for rows in spans(len(a)):
        for columns in spans(len(a)):
            if columns.start < rows.start:
                continue
            squares = _squares(a[rows], a[columns], a_norms[rows], a_norms[columns])
            if columns == rows:
                squares.fill_diagonal_(itself)
            yield Tile(rows, columns, squares)


def nearest_own(a: Tensor, k: int, itself: float = 0.0) -> Nearest:
    """The k nearest of each sample in its own cloud (n, k); itself counts as one of them unless `itself` is infinite."""
    best = _none_yet(len(a), k)
    for tile in own_tiles(a, itself):
        _merge(best, tile.rows, tile.squares, tile.columns.start)
        if tile.rows != tile.columns:
            _merge(best, tile.columns, tile.squares.T.contiguous(), tile.rows.start)
    return best


def nearest_in(a: Tensor, b: Tensor, k: int) -> Nearest:
    """The k nearest rows of `b` to each row of `a` (n, k)."""
    best = _none_yet(len(a), k)
    for tile in tiles(a, b):
        _merge(best, tile.rows, tile.squares, tile.columns.start)
    return best


def norms(a: Tensor) -> Tensor:
    """Squared lengths of the rows (n,), summed as numpy sums them."""
    rows = a.numpy()
    return torch.from_numpy(np.einsum("ij,ij->i", rows, rows))


def spans(count: int) -> list[slice]:
    return [slice(start, min(start + SIDE, count)) for start in range(0, count, SIDE)]


def _squares(a: Tensor, b: Tensor, a_norms: Tensor, b_norms: Tensor) -> Tensor:
    return torch.mm(a, b.T).mul_(-2).add_(a_norms[:, None]).add_(b_norms).clamp_min_(0)


def _none_yet(count: int, k: int) -> Nearest:
    squares = torch.full((count, k), torch.inf, dtype=torch.float64)
    return Nearest(squares, torch.full((count, k), -1))


def _merge(best: Nearest, rows: slice, squares: Tensor, start: int) -> None:
    """Takes what is nearer in this tile; its first column is number `start` of its cloud."""
    k = best.squares.shape[1]
    found = squares.topk(min(k, squares.shape[1]), dim=1, largest=False)
    both = torch.cat([best.squares[rows], found.values], dim=1)
    indices = torch.cat([best.indices[rows], found.indices + start], dim=1)
    kept = both.topk(k, dim=1, largest=False)
    best.squares[rows] = kept.values
    best.indices[rows] = indices.gather(1, kept.indices)
