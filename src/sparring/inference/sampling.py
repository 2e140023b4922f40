"""Samples of a trained generator as arrays, grids and files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.core.errors import DataError, SparringError
from sparring.core.shapes import SampleSpec
from sparring.data import to_input, to_output
from sparring.data.image_grid import encode_png, grid_image, points_image, to_pil_image
from sparring.models.generator import GeneratorModel

SAMPLES_FOLDER = "samples"
NUM_POINTS = 2_000  # of a scatter plot, at least
MAX_COLUMNS = 20  # of a grid with a column for each class


def sample_array(
    generation: GeneratorModel, metadata: Mapping[str, Any], count: int, seed: int = 0, **choices: Any
) -> np.ndarray:
    """Samples in the format of files: uint8 (n, h, w, c), or float32 points (n, d) in the data's own units.

    Arguments:
        generation: the generator.
        metadata: of the model, with `units`.
        count: number of samples.
        seed: random seed.
        choices: `labels` and `truncation` of `GeneratorModel.sample`.
    """
    samples = generation.sample(seed, range(count), **choices)
    return to_output(samples, generation.spec, metadata["units"])


def to_model_input(spec: SampleSpec, metadata: Mapping[str, Any], samples: np.ndarray) -> Tensor:
    """Samples in the format of files as float32 (n, *sample) in [-1, 1]; points in units of their standard deviation.

    Arguments:
        spec: of the samples.
        metadata: of the model, with `units`.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.

    Raises:
        DataError: another type or size, or no samples.
    """
    shape = (*spec.shape[1:], spec.shape[0]) if spec.is_image else spec.shape
    if samples.shape[1:] != shape or not len(samples) or (spec.is_image and samples.dtype != np.uint8):
        raise DataError(
            f"samples {samples.dtype} {samples.shape}",
            f"at least one, {'uint8' if spec.is_image else 'float'} (n, {', '.join(map(str, shape))})",
            "resize them to the run's size (`sparring reconstruct` and `classify` do)",
        )
    if spec.is_image:
        return to_input(samples)
    centre, scale = (np.array(metadata["units"][name], np.float32) for name in ("centre", "scale"))
    return torch.from_numpy(((samples - centre) / scale).astype(np.float32))


def sample_grid(
    generation: GeneratorModel, metadata: Mapping[str, Any], count: int, seed: int = 0, **choices: Any
) -> Image.Image:
    """A grid of `count` images, by default with one column for each class; or a scatter plot of points.

    Arguments as of `sample_array`.
    """
    if not generation.spec.is_image:
        return points_image(sample_array(generation, metadata, max(count, NUM_POINTS), seed, **choices))
    columns = max(1, round(count**0.5))
    classes = generation.spec.num_classes
    if 1 < classes <= MAX_COLUMNS and "labels" not in choices:
        columns = classes
        count = max(1, count // columns) * columns
        choices["labels"] = torch.arange(count) % columns
    return grid_image(sample_array(generation, metadata, count, seed, **choices), columns)


def save_samples(path: Path, arrays: np.ndarray, labels: Tensor | None, image: Image.Image | None) -> None:
    """Save samples by the suffix of `path`: `.png` an image of all, `.npz` arrays, else a folder of `000000.png ...`.

    Arguments:
        path: where to.
        arrays: uint8 (n, h, w, c), or points (n, d).
        labels: (n,), for `.npz`; None saves an empty array.
        image: of all samples, for `.png`.

    Raises:
        SparringError: points can't be saved as a folder of images.
    """
    points = arrays.ndim == 2
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png" and image is not None:
        path.write_bytes(encode_png(image))
    elif path.suffix == ".npz":
        saved: dict[str, Any] = {"points" if points else "images": arrays}
        saved["labels"] = np.zeros(0, np.int64) if labels is None else labels.numpy()
        np.savez_compressed(path, **saved)
    elif points:
        raise SparringError(
            f"--out {path} for points", "a path with the suffix .npz or .png", "choose one of them"
        )
    else:
        path.mkdir(parents=True, exist_ok=True)
        for number, array in enumerate(arrays):
            (path / f"{number:06d}.png").write_bytes(encode_png(to_pil_image(array)))


def class_index(label: str | int, classes: Sequence[str]) -> int:
    """The index of a class.

    Arguments:
        label: name or index of the class.
        classes: names of all classes.

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
    choices = ", ".join(f"{index} {name}" for index, name in enumerate(names[:20]))
    raise SparringError(f"--label {label}", f"one of: {choices}", "use one of these names or numbers")
