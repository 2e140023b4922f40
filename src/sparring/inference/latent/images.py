"""Walks, grids, mixes, morphs and edits of a run as images: the functions behind `sparring latent`.

They take a `sparring.Run`. Samples are named by their index under a seed, as `sparring sample` counts them.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.data import grid_image, points_image, to_output
from sparring.inference.latent.decoding import decode, sample_latents, to_class_weights
from sparring.inference.latent.direction import Direction
from sparring.inference.latent.interpolation import (
    PathKind,
    arithmetic,
    closed_walk,
    interpolate_corners,
    open_walk,
)
from sparring.inference.sampling import class_index
from sparring.runs.generator_file import LoadedModel

Indices = Sequence[int]


class RunLike(Protocol):
    """What is needed of a `sparring.Run`."""

    @property
    def generator(self) -> LoadedModel: ...
    @property
    def classes(self) -> list[str]: ...


def decode_images(run: RunLike, z: Tensor, y: Tensor | None) -> np.ndarray:
    """Samples as they are saved, of latents: uint8 (n, h, w, c), or points float32 (n, d)."""
    found = run.generator
    return to_output(decode(found.generation, z, y), found.generation.spec, found.metadata["units"])


def latents_and_labels(
    run: RunLike, indices: Indices, seed: int = 0, label: str | int | None = None, truncation: float = 1.0
) -> tuple[Tensor, Tensor | None]:
    """Latents (n, z) and classes (n,) of samples by their numbers.

    Arguments:
        label: name or number of a class for all; None as `Generation.sample` draws them.
    """
    generation = run.generator.generation
    if not indices or min(indices) < 0:
        raise SparringError(f"samples {list(indices)}", "one number or more, from 0", "name some")
    ranges = [range(number, number + 1) for number in indices]
    z = torch.cat([sample_latents(generation, seed, each, truncation) for each in ranges])
    if label is not None:
        return z, torch.full((len(z),), class_index(label, run.classes))
    drawn = [generation.draw_labels(seed, each) for each in ranges]
    known = [each for each in drawn if each is not None]
    return z, torch.cat(known) if known else None


def walk(
    run: RunLike,
    z: Tensor,
    y: Tensor | None = None,
    *,
    steps: int = 15,
    kind: PathKind = "spherical",
    closed: bool = True,
) -> np.ndarray:
    """A walk through latents (k, z) in their order: images uint8 (frames, h, w, c).

    Arguments:
        y: their classes (k,). Where these differ, they are blended on the way; one class for all stays as it is.
        steps: frames from one to the next. kind: of the path. closed: back to the first one, without a seam.
    """
    way = closed_walk if closed else open_walk
    classes = None
    if y is not None:
        if bool((y == y[0]).all()):
            classes = y[:1].expand(len(way(z, steps, kind)))
        else:
            classes = way(to_class_weights(y, run.generator.generation.spec.num_classes), steps, "linear")
    return decode_images(run, way(z, steps, kind), classes)


def grid(
    run: RunLike,
    z: Tensor,
    y: Tensor | None = None,
    *,
    rows: int = 8,
    columns: int = 8,
    kind: PathKind = "spherical",
) -> np.ndarray:
    """The grid between four latents (4, z), row by row: uint8 (rows columns, h, w, c). Classes as in `walk`."""
    classes = None
    if y is not None:
        same = bool((y == y[0]).all())
        shares = to_class_weights(y, run.generator.generation.spec.num_classes)
        classes = (
            y[:1].expand(rows * columns) if same else interpolate_corners(shares, rows, columns, "linear")
        )
    return decode_images(run, interpolate_corners(z, rows, columns, kind), classes)


def mix(
    run: RunLike,
    add: Sequence[Indices],
    subtract: Sequence[Indices],
    *,
    seed: int = 0,
    label: str | int | None = None,
) -> Image.Image:
    """Vector arithmetic as a sheet: a row for each group, its mean last; and the result in a row of its own.

    Arguments:
        plus, minus: groups of samples, by number.
        label: a class for all, with a generator that takes classes; None takes that of the first sample for the means.
    """
    groups = [*add, *subtract]
    found = [latents_and_labels(run, group, seed, label) for group in groups]
    result = arithmetic([z for z, _ in found[: len(add)]], [z for z, _ in found[len(add) :]])
    width = max(len(group) for group in groups)
    first = found[0][1]
    rows = []
    for z, y in found:
        members, middle = (
            decode_images(run, z, y),
            decode_images(run, z.mean(0, keepdim=True), None if y is None else y[:1]),
        )
        rows += [members, _blank_images(members, width - len(members)), middle]
    made = decode_images(run, result[None], None if first is None else first[:1])
    return grid_image(np.concatenate([*rows, _blank_images(made, width), made]), width + 1)


def morph(run: RunLike, classes: Sequence[str | int], z: Tensor, *, steps: int = 9) -> np.ndarray:
    """Each of the latents (n, z) from class to class, at equal steps: uint8 (n, frames, h, w, c).

    Arguments:
        classes: names or numbers of two or more.
        steps: from one to the next, ends included.
    """
    generation = run.generator.generation
    if not generation.spec.num_classes:
        raise SparringError(
            "a run without classes", "a model that was trained with labels", "see `sparring latent walk`"
        )
    if len(classes) < 2 or steps < 2:
        raise SparringError(
            f"{len(classes)} classes, {steps} steps", "two or more of both", "name two classes"
        )
    ends = torch.tensor([class_index(each, run.classes) for each in classes])
    shares = open_walk(to_class_weights(ends, generation.spec.num_classes), steps - 1, "linear")
    made = [decode_images(run, each.expand(len(shares), -1), shares) for each in z]
    return np.stack(made)


def edit(
    run: RunLike, z: Tensor, y: Tensor | None, direction: Direction, strengths: Sequence[float]
) -> np.ndarray:
    """Latents moved along a direction: uint8 (n, strengths, h, w, c)."""
    if len(direction.vector) != run.generator.generation.latent:
        raise SparringError(
            f"a direction of {len(direction.vector)} numbers",
            f"one of this run's latent space, {run.generator.generation.latent}",
            "find it for this run: sparring latent directions RUN",
        )
    return np.stack([decode_images(run, direction.apply(z, strength), y) for strength in strengths], 1)


def image_sheet(rows: np.ndarray) -> Image.Image:
    """A sheet of images uint8 (rows, columns, h, w, c); of points the scatter of the last column over the first."""
    if rows.ndim < 5:
        return points_image(rows[:, -1], rows[:, 0])
    return grid_image(rows.reshape(-1, *rows.shape[2:]), rows.shape[1])


def _blank_images(like: np.ndarray, count: int) -> np.ndarray:
    return np.full((max(0, count), *like.shape[1:]), 255, like.dtype)
