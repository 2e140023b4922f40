"""Walks, grids, mixes, morphs and edits of a run as images and videos: the functions behind `sparring latent`.

They take a `sparring.Run`. Samples are named by their index under a seed, as `sparring sample` counts them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.data import grid_image, points_image, to_output
from sparring.data.image_grid import encode_png
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
from sparring.inference.video import save_video, tile_frames
from sparring.runs.generator_file import LoadedModel

SHEET_STRENGTHS = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
SHEET_ROWS = 3  # samples per direction
CAPTION_HEIGHT = 18  # pixels

Indices = Sequence[int]


class RunLike(Protocol):
    """The part of a `sparring.Run` that these functions use."""

    @property
    def generator(self) -> LoadedModel: ...
    @property
    def classes(self) -> list[str]: ...


def decode_images(run: RunLike, z: Tensor, y: Tensor | None) -> np.ndarray:
    """Samples of latents (n, z), in the format of files: uint8 (n, h, w, c), or points float32 (n, d)."""
    model = run.generator
    return to_output(decode(model.generation, z, y), model.generation.spec, model.metadata["units"])


def latents_and_labels(
    run: RunLike, indices: Indices, seed: int = 0, label: str | int | None = None, truncation: float = 1.0
) -> tuple[Tensor, Tensor | None]:
    """Latents (n, z) and classes (n,) of samples by their indices.

    Arguments:
        label: name or number of a class for all; None draws the classes that `sparring sample` draws.
        truncation: factor on the latents.

    Raises:
        SparringError: no index, or one below 0.
    """
    generation = run.generator.generation
    if not indices or min(indices) < 0:
        raise SparringError(f"samples {list(indices)}", "one or more numbers from 0", "name some samples")
    ranges = [range(index, index + 1) for index in indices]
    z = torch.cat([sample_latents(generation, seed, each, truncation) for each in ranges])
    if label is not None:
        return z, torch.full((len(z),), class_index(label, run.classes))
    labels = [y for each in ranges if (y := generation.draw_labels(seed, each)) is not None]
    return z, torch.cat(labels) if labels else None


def walk(
    run: RunLike,
    z: Tensor,
    y: Tensor | None = None,
    *,
    steps: int = 15,
    kind: PathKind = "spherical",
    closed: bool = True,
) -> np.ndarray:
    """Frames of an interpolation through latents (k, z): uint8 (frames, h, w, c).

    Arguments:
        y: their classes (k,). Where these differ they are blended on the way.
        steps: frames from one latent to the next.
        kind: of the path.
        closed: return to the first latent, so that the video loops without a seam.
    """
    path = closed_walk if closed else open_walk
    latents, classes = path(z, steps, kind), None
    if y is not None and bool((y == y[0]).all()):
        classes = y[:1].expand(len(latents))
    elif y is not None:
        weights = to_class_weights(y, run.generator.generation.spec.num_classes)
        classes = path(weights, steps, "linear")
    return decode_images(run, latents, classes)


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
    if y is not None and bool((y == y[0]).all()):
        classes = y[:1].expand(rows * columns)
    elif y is not None:
        weights = to_class_weights(y, run.generator.generation.spec.num_classes)
        classes = interpolate_corners(weights, rows, columns, "linear")
    return decode_images(run, interpolate_corners(z, rows, columns, kind), classes)


def mix(
    run: RunLike,
    add: Sequence[Indices],
    subtract: Sequence[Indices],
    *,
    seed: int = 0,
    label: str | int | None = None,
) -> Image.Image:
    """Vector arithmetic as a sheet: a row for each group with its mean last, and the result in a row of its own.

    Arguments:
        add, subtract: groups of samples, by index.
        label: class of all samples; None decodes a mean with the class of the first sample of its group.
    """
    groups = [*add, *subtract]
    members = [latents_and_labels(run, group, seed, label) for group in groups]
    result = arithmetic([z for z, _ in members[: len(add)]], [z for z, _ in members[len(add) :]])
    width = max(len(group) for group in groups)
    rows = []
    for z, y in members:
        samples = decode_images(run, z, y)
        mean = decode_images(run, z.mean(0, keepdim=True), None if y is None else y[:1])
        rows += [samples, _blank_images(samples, width - len(samples)), mean]
    y = members[0][1]
    image = decode_images(run, result[None], None if y is None else y[:1])
    return grid_image(np.concatenate([*rows, _blank_images(image, width), image]), width + 1)


def morph(run: RunLike, classes: Sequence[str | int], z: Tensor, *, steps: int = 9) -> np.ndarray:
    """Each of the latents (n, z) from class to class, at equal steps: uint8 (n, frames, h, w, c).

    Arguments:
        classes: names or numbers of two or more classes.
        steps: from one class to the next, ends included.

    Raises:
        SparringError: a generator without classes, or fewer than two classes or steps.
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
    weights = open_walk(to_class_weights(ends, generation.spec.num_classes), steps - 1, "linear")
    return np.stack([decode_images(run, each.expand(len(weights), -1), weights) for each in z])


def edit(
    run: RunLike, z: Tensor, y: Tensor | None, direction: Direction, strengths: Sequence[float]
) -> np.ndarray:
    """Latents (n, z) moved along a direction: uint8 (n, strengths, h, w, c).

    Raises:
        SparringError: a direction of another latent space.
    """
    if len(direction.vector) != run.generator.generation.latent:
        raise SparringError(
            f"a direction of {len(direction.vector)} numbers",
            f"one of this run's latent space, {run.generator.generation.latent}",
            "find it for this run: sparring latent directions RUN",
        )
    return np.stack([decode_images(run, direction.apply(z, strength), y) for strength in strengths], 1)


def image_sheet(rows: np.ndarray) -> Image.Image:
    """A sheet of images uint8 (rows, columns, h, w, c); of points the last column in a scatter plot over the first."""
    if rows.ndim < 5:
        return points_image(rows[:, -1], rows[:, 0])
    return grid_image(rows.reshape(-1, *rows.shape[2:]), rows.shape[1])


def direction_sheet(run: RunLike, directions: Sequence[Direction], seed: int = 0) -> Image.Image:
    """The effects of directions: for each a caption, and rows of samples moved by `SHEET_STRENGTHS`."""
    z, y = latents_and_labels(run, range(SHEET_ROWS), seed)
    blocks = []
    for direction in directions:
        sheet = image_sheet(edit(run, z, y, direction, SHEET_STRENGTHS)).convert("RGB")
        block = Image.new("RGB", (sheet.width, sheet.height + CAPTION_HEIGHT), (255, 255, 255))
        block.paste(sheet, (0, CAPTION_HEIGHT))
        name = direction.name.encode("ascii", "replace").decode()[:60]
        ImageDraw.Draw(block).text((4, 3), f"{name} ({direction.kind})", fill=(0, 0, 0))
        blocks.append(np.asarray(block))
    return Image.fromarray(np.concatenate(blocks))


def save_rows(path: Path, rows: np.ndarray, fps: float) -> None:
    """Save images uint8 (rows, columns, h, w, c): `.png` a sheet, else a video whose frames are the columns."""
    if path.suffix.lower() == ".png":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(image_sheet(rows)))
    else:
        save_frames(path, rows.swapaxes(0, 1), fps)


def save_frames(path: Path, frames: np.ndarray, fps: float) -> None:
    """Save a video of images uint8 (frames, k, h, w, c), k side by side, or of points (frames, k, d) as scatter plots."""
    if frames.ndim == 3:
        points = frames.reshape(-1, frames.shape[2])
        video = np.stack([np.asarray(points_image(each, points)) for each in frames])
    elif frames.shape[1] == 1:
        video = frames[:, 0]
    else:
        video = tile_frames(frames, max(1, round(frames.shape[1] ** 0.5)))
    save_video(path, video, fps)


def _blank_images(like: np.ndarray, count: int) -> np.ndarray:
    return np.full((max(0, count), *like.shape[1:]), 255, like.dtype)
