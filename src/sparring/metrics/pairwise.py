"""Pairwise Euclidean distances and nearest neighbours, computed in tiles to bound memory."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

TILE_SIZE = 2048  # rows and columns: 32 MB in float64
ROUNDING_SLACK = 16 * torch.finfo(torch.float64).eps  # of a squared distance, relative to |x|^2 + |y|^2


class Tile(NamedTuple):
    """Squared distances between `rows` of one matrix and `columns` of another."""

    rows: slice
    columns: slice
    squared_distances: Tensor


class NearestNeighbours(NamedTuple):
    """The k nearest neighbours of each query, the nearest first: squared distances and indices, both (n, k)."""

    squared_distances: Tensor
    indices: Tensor


def distance_tiles(a: Tensor, b: Tensor, slack: float = 0.0) -> Iterator[Tile]:
    """Squared distances |x|^2 - 2 x.y + |y|^2, at least 0, of all rows x of `a` (n, d) and y of `b` (m, d), tile by tile.

    Arguments:
        a, b: float64.
        slack: added to the distances, relative to |x|^2 + |y|^2. With `ROUNDING_SLACK` a distance that equals a radius
            up to rounding is not below it: a copy of a neighbour is on the edge of the ball on any machine.
    """
    a_norms, b_norms = squared_norms(a) * (1 + slack), squared_norms(b) * (1 + slack)
    for rows in tile_slices(len(a)):
        for columns in tile_slices(len(b)):
            yield Tile(
                rows, columns, _squared_distances(a[rows], b[columns], a_norms[rows], b_norms[columns])
            )


def self_distance_tiles(a: Tensor, self_distance: float = 0.0) -> Iterator[Tile]:
    """The tiles of the distances of a matrix (n, d) with itself, on and above the diagonal.

    Arguments:
        self_distance: squared distance of a row from itself; infinite to exclude it from its neighbours.
    """
    a_norms = squared_norms(a)
    for rows in tile_slices(len(a)):
        for columns in tile_slices(len(a)):
            if columns.start < rows.start:
                continue
            squares = _squared_distances(a[rows], a[columns], a_norms[rows], a_norms[columns])
            if columns == rows:
                squares.fill_diagonal_(self_distance)
            yield Tile(rows, columns, squares)


def nearest_within(a: Tensor, k: int, self_distance: float = 0.0) -> NearestNeighbours:
    """The k nearest neighbours of each row among all rows; itself is one of them unless `self_distance` is infinite."""
    best = _empty_nearest(len(a), k)
    for tile in self_distance_tiles(a, self_distance):
        _merge_nearest(best, tile.rows, tile.squared_distances, tile.columns.start)
        if tile.rows != tile.columns:
            _merge_nearest(best, tile.columns, tile.squared_distances.T.contiguous(), tile.rows.start)
    return best


def nearest_neighbours(a: Tensor, b: Tensor, k: int) -> NearestNeighbours:
    """The k nearest rows of `b` (m, d) to each row of `a` (n, d), both float64.

    >>> nearest_neighbours(torch.tensor([[1.0]]).double(), torch.tensor([[0.0], [3.0]]).double(), 1).indices
    tensor([[0]])
    """
    best = _empty_nearest(len(a), k)
    for tile in distance_tiles(a, b):
        _merge_nearest(best, tile.rows, tile.squared_distances, tile.columns.start)
    return best


def squared_norms(a: Tensor) -> Tensor:
    """Squared norms of the rows (n,), summed in the order of numpy."""
    rows = a.numpy()
    return torch.from_numpy(np.einsum("ij,ij->i", rows, rows))


def tile_slices(count: int) -> list[slice]:
    """Slices of at most `TILE_SIZE` that cover `count` rows."""
    return [slice(start, min(start + TILE_SIZE, count)) for start in range(0, count, TILE_SIZE)]


def _squared_distances(a: Tensor, b: Tensor, a_norms: Tensor, b_norms: Tensor) -> Tensor:
    return torch.mm(a, b.T).mul_(-2).add_(a_norms[:, None]).add_(b_norms).clamp_min_(0)


def _empty_nearest(count: int, k: int) -> NearestNeighbours:
    squares = torch.full((count, k), torch.inf, dtype=torch.float64)
    return NearestNeighbours(squares, torch.full((count, k), -1))


def _merge_nearest(best: NearestNeighbours, rows: slice, squared_distances: Tensor, start: int) -> None:
    """Update `best` with a tile whose first column has the index `start`."""
    k = best.squared_distances.shape[1]
    nearest = squared_distances.topk(min(k, squared_distances.shape[1]), dim=1, largest=False)
    both = torch.cat([best.squared_distances[rows], nearest.values], dim=1)
    indices = torch.cat([best.indices[rows], nearest.indices + start], dim=1)
    merged = both.topk(k, dim=1, largest=False)
    best.squared_distances[rows] = merged.values
    best.indices[rows] = indices.gather(1, merged.indices)
