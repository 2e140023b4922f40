"""Preview images of a run: sample grids, reconstructions and translations, always of the same latents and
inputs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.core import storage
from sparring.core.shapes import SampleSpec
from sparring.data import Dataset, to_input, to_output
from sparring.data.image_grid import encode_png, grid_image, labelled_points_image, points_image
from sparring.inference.reconstruction import (
    MIN_PAIR_COLUMNS,
    PAIR_ROWS,
    encode,
    reconstruct,
    reconstruction_grid,
)
from sparring.inference.sampling import (
    MAX_COLUMNS,
    NUM_POINTS,
    SAMPLES_FOLDER,
    sample_grid,
)
from sparring.models.classifier import ClassifierModel
from sparring.models.generator import GeneratorModel
from sparring.models.model import Model
from sparring.models.translator import A_TO_B, TranslatorModel
from sparring.runs.run_json import data_metadata

RECONSTRUCTIONS_FOLDER, CODES_NAME = "reconstructions", "codes"
MAX_WIDTH = 1_200  # pixels of a sheet of translations, unless a single column is wider
GAP = 10  # pixels between columns


def write_translations(
    run_dir: Path, images: int, model: TranslatorModel, dataset: Dataset, count: int
) -> None:
    """Write a sheet of `count` translated images to `samples/<images>.png` and `samples.png`."""
    _write_png(run_dir, SAMPLES_FOLDER, images, translation_sheet(model, dataset, count))


def write_sample_grid(
    run_dir: Path, images: int, model: GeneratorModel, metadata: Mapping[str, Any], count: int
) -> None:
    """Write a grid of samples from fixed latents to `samples/<images>.png` and `samples.png`; at least a row for each class."""
    _write_png(run_dir, SAMPLES_FOLDER, images, sample_grid(model, metadata, count))


def write_class_templates(
    run_dir: Path, images: int, model: ClassifierModel, metadata: Mapping[str, Any]
) -> None:
    """Write the template of each class: white pixels raise the probability of the class, black ones lower it. Images only."""
    if not model.spec.is_image:
        return
    templates = to_output(model.templates(), model.spec, metadata["units"])
    _write_png(run_dir, SAMPLES_FOLDER, images, grid_image(templates, min(len(templates), MAX_COLUMNS)))


def write_reconstructions(run_dir: Path, images: int, model: GeneratorModel, dataset: Dataset) -> None:
    """Write pairs of samples and reconstructions, and `codes.png` for codes of two dimensions; nothing without an encoder."""
    if model.encoder is None:
        return
    metadata = {"units": dataset.units}
    count = MIN_PAIR_COLUMNS * PAIR_ROWS if dataset.spec.is_image else NUM_POINTS
    samples, labels = _evenly_spaced_samples(dataset, count)
    reconstructions = reconstruct(model, metadata, samples, labels)
    if dataset.spec.is_image:
        image = reconstruction_grid(samples, reconstructions)
    else:
        image = points_image(reconstructions, samples)
    _write_png(run_dir, RECONSTRUCTIONS_FOLDER, images, image)
    if model.encoder.posterior.code_size == 2:
        samples, labels = _evenly_spaced_samples(dataset, NUM_POINTS)
        codes = encode(model, metadata, samples, labels).numpy()
        classes = np.zeros(len(codes), int) if labels is None else labels.numpy()
        names = [] if labels is None else dataset.classes
        chart = encode_png(labelled_points_image(codes, classes, names))
        storage.write_atomic(run_dir / f"{CODES_NAME}.png", chart)


def _write_png(run_dir: Path, folder: str, images: int, image: Image.Image) -> None:
    """Write `folder/<images>.png`, and the same as `folder.png`, the newest one."""
    data = encode_png(image)
    storage.make_folder(run_dir / folder)
    for path in (run_dir / folder / f"{images:012d}.png", run_dir / f"{folder}.png"):
        storage.write_atomic(path, data)


def _evenly_spaced_samples(dataset: Dataset, count: int) -> tuple[np.ndarray, Tensor | None]:
    rows = _evenly_spaced_rows(len(dataset), count)
    labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[rows])
    return np.asarray(dataset.samples[rows]), labels


def _evenly_spaced_rows(total: int, count: int) -> np.ndarray:
    return np.unique(np.linspace(0, total - 1, min(count, total)).astype(int))


def translation_sheet(model: TranslatorModel, dataset: Dataset, count: int) -> Image.Image:
    """Rows of an image, its translation, and its partner; of unpaired data the translation back, where the model has one.

    The directions of the model stand side by side.
    """
    blocks = [_translation_block(model, dataset, direction, count) for direction in model.directions]
    strips = [strip for block in blocks for strip in _fold(block)]
    height = max(strip.height for strip in strips)
    sheet = Image.new("RGB", (sum(strip.width + GAP for strip in strips) - GAP, height), "white")
    left = 0
    for strip in strips:
        sheet.paste(strip, (left, 0))
        left += strip.width + GAP
    return sheet


def _translation_block(model: TranslatorModel, dataset: Dataset, direction: str, count: int) -> np.ndarray:
    """Images uint8 (n, k, h, w, c): each of n images with its k - 1 derived ones."""
    assert dataset.domain_b is not None
    domains = (dataset, dataset.domain_b)
    source, target = domains if direction == A_TO_B else domains[::-1]
    rows = _evenly_spaced_rows(len(source), count)
    inputs = np.asarray(source.samples[rows])
    outputs = translate_each(model, inputs, direction)
    columns = [inputs, outputs]
    if dataset.paired:
        columns.append(np.asarray(target.samples[rows]))
    elif len(model.directions) > 1:
        back = next(other for other in model.directions if other != direction)
        columns.append(translate_each(model, outputs, back))
    channels = max(column.shape[3] for column in columns)
    return np.stack([_with_channels(column, channels) for column in columns], 1)


@torch.no_grad()
def translate_each(model: TranslatorModel, images: np.ndarray, direction: str) -> np.ndarray:
    """Translate images uint8 (n, h, w, c) one at a time."""
    device = next(model.parameters()).device
    outputs = []
    for image in images:
        y = model.translate(to_input(image[None]).to(device), direction)
        outputs.append(to_output(y, SampleSpec(shape=tuple(y.shape[1:])), {}))
    return np.concatenate(outputs)


def _with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Repeat grey channels and add full opacity until there are `channels`."""
    if images.shape[3] == 1 and channels > 1:
        images = images.repeat(3, 3)
    if images.shape[3] < channels:
        images = np.concatenate([images, np.full_like(images[..., :1], 255)], 3)
    return images


def _fold(block: np.ndarray) -> list[Image.Image]:
    """Break the rows of a block into strips side by side, so that the sheet is not much taller than wide."""
    count, steps, height, width, _ = block.shape
    square = round((count * height / (steps * width)) ** 0.5)
    num_strips = max(1, min(square, MAX_WIDTH // (steps * width), count))
    length = -(-count // num_strips)
    parts = [block[start : start + length] for start in range(0, count, length)]
    return [grid_image(part.reshape(-1, *block.shape[2:]), steps).convert("RGB") for part in parts]


Splits = tuple[Dataset, Dataset | None]  # the training set and the held-out samples


def _preview_generator(run_dir: Path, images: int, model: GeneratorModel, data: Splits, count: int) -> None:
    write_sample_grid(run_dir, images, model, data_metadata(data[0]), count)
    write_reconstructions(run_dir, images, model, data[0])


def _preview_classifier(run_dir: Path, images: int, model: ClassifierModel, data: Splits, count: int) -> None:
    write_class_templates(run_dir, images, model, data_metadata(data[0]))


def _preview_translator(run_dir: Path, images: int, model: TranslatorModel, data: Splits, count: int) -> None:
    training, held_out = data
    write_translations(run_dir, images, model, training if held_out is None else held_out, count)


PREVIEWS: dict[str, Callable[[Path, int, Any, Splits, int], None]] = {
    "generator": _preview_generator,
    "classifier": _preview_classifier,
    "translator": _preview_translator,
}  # by Model.kind


def write_previews(run_dir: Path, images: int, model: Model, data: Splits, count: int) -> None:
    """Write the preview images of any kind of model.

    Arguments:
        images: the clock, for the file names.
        model: the EMA model.
        data: training set and held-out samples.
        count: of samples; or of translations, from held-out images if there are any.
    """
    PREVIEWS[model.kind](run_dir, images, model, data, count)
