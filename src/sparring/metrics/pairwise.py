"""Pairwise Euclidean distances and nearest neighbours, computed in tiles to bound memory."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

TILE_SIZE = 2048  # rows and columns of a tile: 32 MB in float64
ROUNDING_SLACK = 16 * torch.finfo(torch.float64).eps  # of a squared distance, as a share of |x|^2 + |y|^2


class Tile(NamedTuple):
    """Squared distances between `rows` of one cloud and `columns` of another."""

    rows: slice
    columns: slice
    squared_distances: Tensor


class NearestNeighbours(NamedTuple):
    """The k nearest of each query, nearest first: squared distances (n, k) and indices (n, k)."""

    squared_distances: Tensor
    indices: Tensor


def distance_tiles(a: Tensor, b: Tensor, slack: float = 0.0) -> Iterator[Tile]:
    """|x|^2 - 2 x.y + |y|^2, at least 0, for all x of `a` (n, d) and y of `b` (m, d), both float64.

    `slack` adds that share of |x|^2 + |y|^2. With `ROUNDING_SLACK`, a distance that equals a radius but for rounding is not
    below it: a copy of a neighbour is then on the edge of the ball, on any machine.
    """
    a_norms, b_norms = squared_norms(a) * (1 + slack), squared_norms(b) * (1 + slack)
    for rows in tile_slices(len(a)):
        for columns in tile_slices(len(b)):
            yield Tile(
                rows, columns, _squared_distances(a[rows], b[columns], a_norms[rows], b_norms[columns])
            )


def self_distance_tiles(a: Tensor, self_distance: float = 0.0) -> Iterator[Tile]:
    """The tiles of a cloud against itself on and above the diagonal, where each sample is `self_distance` away from itself."""
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
    """The k nearest of each sample in its own cloud (n, k); itself counts as one of them unless `self_distance` is infinite."""
    best = _empty_nearest(len(a), k)
    for tile in self_distance_tiles(a, self_distance):
        _merge_nearest(best, tile.rows, tile.squared_distances, tile.columns.start)
        if tile.rows != tile.columns:
            _merge_nearest(best, tile.columns, tile.squared_distances.T.contiguous(), tile.rows.start)
    return best


def nearest_neighbours(a: Tensor, b: Tensor, k: int) -> NearestNeighbours:
    """The k nearest rows of `b` to each row of `a` (n, k)."""
    best = _empty_nearest(len(a), k)
    for tile in distance_tiles(a, b):
        _merge_nearest(best, tile.rows, tile.squared_distances, tile.columns.start)
    return best


def squared_norms(a: Tensor) -> Tensor:
    """Squared lengths of the rows (n,), summed as numpy sums them."""
    rows = a.numpy()
    return torch.from_numpy(np.einsum("ij,ij->i", rows, rows))


def tile_slices(count: int) -> list[slice]:
    return [slice(start, min(start + TILE_SIZE, count)) for start in range(0, count, TILE_SIZE)]


def _squared_distances(a: Tensor, b: Tensor, a_norms: Tensor, b_norms: Tensor) -> Tensor:
    return torch.mm(a, b.T).mul_(-2).add_(a_norms[:, None]).add_(b_norms).clamp_min_(0)


def _empty_nearest(count: int, k: int) -> NearestNeighbours:
    squares = torch.full((count, k), torch.inf, dtype=torch.float64)
    return NearestNeighbours(squares, torch.full((count, k), -1))


def _merge_nearest(best: NearestNeighbours, rows: slice, squared_distances: Tensor, start: int) -> None:
    """Takes what is nearer in this tile; its first column is number `start` of its cloud."""
    k = best.squared_distances.shape[1]
    found = squared_distances.topk(min(k, squared_distances.shape[1]), dim=1, largest=False)
    both = torch.cat([best.squared_distances[rows], found.values], dim=1)
    indices = torch.cat([best.indices[rows], found.indices + start], dim=1)
    kept = both.topk(k, dim=1, largest=False)
    best.squared_distances[rows] = kept.values
    best.indices[rows] = indices.gather(1, kept.indices)
