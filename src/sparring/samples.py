"""Samples on disk: grids, folders of pictures, arrays."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring import storage
from sparring.data import to_input, to_output
from sparring.data.sheet import grid_image, points_image
from sparring.errors import DataError, SparringError
from sparring.games.classification import Classification, Kept
from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.shapes import Spec

FOLDER = "samples"
POINTS_SHOWN = 2_000
MOST_COLUMNS = 20  # of a grid with a class each


def draw(
    generation: Generation, facts: Mapping[str, Any], count: int, seed: int = 0, **choices: Any
) -> np.ndarray:
    """Samples as they are saved: uint8 (n, h, w, c), or float32 points (n, d) in the data's own units.

    Arguments:
        facts: with `units`.
        choices: `labels` and `truncation` of `Generation.sample`.
    """
    made = generation.sample(seed, range(count), **choices)
    return to_output(made, generation.spec, facts["units"])


def inputs(spec: Spec, facts: Mapping[str, Any], samples: np.ndarray) -> Tensor:
    """Samples as networks take them, float32 (n, *sample), from the form in which they are saved.

    Arguments:
        spec: of the samples.
        facts: with `units`.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.

    Raises:
        DataError: they are of another kind or size, or there are none.
    """
    shape = (*spec.shape[1:], spec.shape[0]) if spec.is_image else spec.shape
    if samples.shape[1:] != shape or not len(samples) or (spec.is_image and samples.dtype != np.uint8):
        raise DataError(
            f"samples {samples.dtype} {samples.shape}",
            f"at least one, {'uint8' if spec.is_image else 'float'} (n, {', '.join(map(str, shape))})",
            "bring them to the run's size (`sparring reconstruct` and `classify` do)",
        )
    if spec.is_image:
        return to_input(samples)
    centre, scale = (np.array(facts["units"][name], np.float32) for name in ("centre", "scale"))
    return torch.from_numpy(((samples - centre) / scale).astype(np.float32))


def show(run: Path, images: int, kept: Kept, facts: Mapping[str, Any], count: int) -> None:
    """Write the sample grid of this moment, from latents that are always the same, a row or more for each class; or, of a
    classifier, what it looks for in the pictures of each class (white speaks for the class, black against it).
    """
    assert not isinstance(kept, Translation)
    if isinstance(kept, Classification):
        if not kept.spec.is_image:
            return
        templates = to_output(kept.templates(), kept.spec, facts["units"])
        picture = grid_image(templates, min(len(templates), MOST_COLUMNS))
    else:
        picture = grid(kept, facts, count)
    data = png(picture)
    storage.make_folder(run / FOLDER)
    storage.write_whole(run / FOLDER / f"{images:012d}.png", data)
    storage.write_whole(run / f"{FOLDER}.png", data)


def grid(
    generation: Generation, facts: Mapping[str, Any], count: int, seed: int = 0, **choices: Any
) -> Image.Image:
    """A grid of `count` pictures, or a scatter of points; by default with the classes in turn, column by column."""
    if not generation.spec.is_image:
        return points_image(draw(generation, facts, max(count, POINTS_SHOWN), seed, **choices))
    columns = max(1, round(count**0.5))
    classes = generation.spec.classes
    if 1 < classes <= MOST_COLUMNS and "labels" not in choices:
        columns = classes
        count = max(1, count // columns) * columns
        choices["labels"] = torch.arange(count) % columns
    return grid_image(draw(generation, facts, count, seed, **choices), columns)


def save(path: Path, arrays: np.ndarray, labels: Tensor | None, picture: Image.Image | None) -> None:
    """Save samples by the ending of `path`: `.png` the picture, `.npz` arrays, else a folder of `000000.png ...`.

    Raises:
        SparringError: points can't be saved as pictures.
    """
    points = arrays.ndim == 2
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png" and picture is not None:
        path.write_bytes(png(picture))
    elif path.suffix == ".npz":
        named = {"points" if points else "images": arrays}
        np.savez_compressed(path, **named, labels=np.zeros(0, np.int64) if labels is None else labels.numpy())  # type: ignore[arg-type]
    elif points:
        raise SparringError(
            f"--out {path} for points", "a path that ends in .npz or .png", "choose one of them"
        )
    else:
        path.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(arrays):
            (path / f"{number:06d}.png").write_bytes(png(picture_of(image)))


def picture_of(array: np.ndarray) -> Image.Image:
    """A uint8 array (h, w, c) as a picture: grey, colour, or colour with transparency."""
    return Image.fromarray(array.squeeze(2) if array.shape[2] == 1 else array)


def png(picture: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def class_index(label: str | int, classes: Sequence[str]) -> int:
    """The number of a class given by name or number.

    Raises:
        SparringError: there is no such class.
    """
    names = [str(name) for name in classes]
    if str(label) in names:
        return names.index(str(label))
    if str(label).isdigit() and int(label) < len(names):
        return int(label)
    if not names:
        raise SparringError(
            f"--label {label}", "a generator that was trained with labels", "leave --label out"
        )
    shown = ", ".join(f"{number} {name}" for number, name in enumerate(names[:20]))
    raise SparringError(f"--label {label}", f"one of: {shown}", "give a name or a number of these")
