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

BROADEST = 1_200  # pixels that a sheet is broad at the most, where a row of one image is not broader
GAP = 10


def show(run_dir: Path, images: int, translation: TranslatorModel, dataset: Dataset, count: int) -> None:
    """Write the sheet of this moment.

    Arguments:
        dataset: where its images come from; those held out, where there are any.
        count: of images.
    """
    data = encode_png(sheet(translation, dataset, count))
    storage.make_folder(run_dir / SAMPLES_FOLDER)
    for place in (run_dir / SAMPLES_FOLDER / f"{images:012d}.png", run_dir / f"{SAMPLES_FOLDER}.png"):
        storage.write_atomic(place, data)


def sheet(translation: TranslatorModel, dataset: Dataset, count: int) -> Image.Image:
    """Rows of: a image, its translation, and its partner; without partners what comes back of it, where there is a way back. With
    a way back, the same the other way round beside it.
    """
    blocks = [_block(translation, dataset, direction, count) for direction in translation.directions]
    strips = [picture for block in blocks for picture in _folded(block)]
    height = max(strip.height for strip in strips)
    whole = Image.new("RGB", (sum(strip.width + GAP for strip in strips) - GAP, height), "white")
    at = 0
    for strip in strips:
        whole.paste(strip, (at, 0))
        at += strip.width + GAP
    return whole


def _block(translation: TranslatorModel, dataset: Dataset, direction: str, count: int) -> np.ndarray:
    """Images uint8 (n, k, h, w, c): each with what becomes of it."""
    assert dataset.domain_b is not None
    near, far = (dataset, dataset.domain_b) if direction == A_TO_B else (dataset.domain_b, dataset)
    rows = np.unique(np.linspace(0, len(near) - 1, min(count, len(near))).astype(int))
    given = np.asarray(near.samples[rows])
    made = translated(translation, given, direction)
    steps = [given, made]
    if dataset.paired:
        steps.append(np.asarray(far.samples[rows]))
    elif len(translation.directions) > 1:
        back = next(way for way in translation.directions if way != direction)
        steps.append(translated(translation, made, back))
    channels = max(step.shape[3] for step in steps)
    return np.stack([_with_channels(step, channels) for step in steps], 1)


@torch.no_grad()
def translated(translation: TranslatorModel, pictures: np.ndarray, direction: str) -> np.ndarray:
    """Images uint8 (n, h, w, c) of the other domain, each by itself."""
    device = next(translation.parameters()).device
    made = []
    for picture in pictures:
        y = translation.translate(to_input(picture[None]).to(device), direction)
        made.append(to_output(y, SampleSpec(shape=tuple(y.shape[1:])), {}))
    return np.concatenate(made)


def _with_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Grey images as coloured ones, opaque ones with full opacity."""
    if pictures.shape[3] == 1 and channels > 1:
        pictures = pictures.repeat(3, 3)
    if pictures.shape[3] < channels:
        pictures = np.concatenate([pictures, np.full_like(pictures[..., :1], 255)], 3)
    return pictures


def _folded(block: np.ndarray) -> list[Image.Image]:
    """The rows of a block in columns side by side, so that the sheet is not much taller than wide."""
    count, steps, height, width, _ = block.shape
    columns = max(
        1, min(round((count * height / (steps * width)) ** 0.5), BROADEST // (steps * width), count)
    )
    length = -(-count // columns)
    parts = [block[at : at + length] for at in range(0, count, length)]
    return [grid_image(part.reshape(-1, *block.shape[2:]), steps).convert("RGB") for part in parts]


RECONSTRUCTIONS_FOLDER, CODES_NAME = "reconstructions", "codes"


def write_reconstructions(run_dir: Path, images: int, generation: GeneratorModel, dataset: Dataset) -> None:
    """Write the grid of reconstructions and the map of codes; nothing without an encoder."""
    if generation.encoder is None:
        return
    facts = {"units": dataset.units}
    wanted = MIN_PAIR_COLUMNS * PAIR_ROWS if dataset.spec.is_image else NUM_POINTS
    samples, labels = _evenly_spaced_samples(dataset, wanted)
    back = reconstruct(generation, facts, samples, labels)
    picture = reconstruction_grid(samples, back) if dataset.spec.is_image else points_image(back, samples)
    storage.make_folder(run_dir / RECONSTRUCTIONS_FOLDER)
    for place in (
        run_dir / RECONSTRUCTIONS_FOLDER / f"{images:012d}.png",
        run_dir / f"{RECONSTRUCTIONS_FOLDER}.png",
    ):
        storage.write_atomic(place, encode_png(picture))
    if generation.encoder.posterior.code_size == 2:
        samples, labels = _evenly_spaced_samples(dataset, NUM_POINTS)
        places = encode(generation, facts, samples, labels).numpy()
        shades = np.zeros(len(places), int) if labels is None else labels.numpy()
        names = [] if labels is None else dataset.classes
        storage.write_atomic(
            run_dir / f"{CODES_NAME}.png", encode_png(labelled_points_image(places, shades, names))
        )


def _evenly_spaced_samples(dataset: Dataset, count: int) -> tuple[np.ndarray, Tensor | None]:
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int))
    labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[rows])
    return np.asarray(dataset.samples[rows]), labels


def write_sample_grid(
    run_dir: Path, images: int, model: GeneratorModel, metadata: Mapping[str, Any], count: int
) -> None:
    """Write the sample grid: always of the same latents, a row or more for each class."""
    _write_grid(run_dir, images, sample_grid(model, metadata, count))


def write_class_templates(
    run_dir: Path, images: int, model: ClassifierModel, metadata: Mapping[str, Any]
) -> None:
    """Write the template of each class: values above grey raise the class's logit, values below lower it. Images only."""
    if not model.spec.is_image:
        return
    templates = to_output(model.templates(), model.spec, metadata["units"])
    _write_grid(run_dir, images, grid_image(templates, min(len(templates), MAX_COLUMNS)))


def _write_grid(run_dir: Path, images: int, picture: Image.Image) -> None:
    data = encode_png(picture)
    storage.make_folder(run_dir / SAMPLES_FOLDER)
    storage.write_atomic(run_dir / SAMPLES_FOLDER / f"{images:012d}.png", data)
    storage.write_atomic(run_dir / f"{SAMPLES_FOLDER}.png", data)


Splits = tuple[Dataset, Dataset | None]  # the training set and the held-out samples


def _preview_generator(run_dir: Path, images: int, model: GeneratorModel, data: Splits, count: int) -> None:
    write_sample_grid(run_dir, images, model, data_metadata(data[0]), count)
    write_reconstructions(run_dir, images, model, data[0])


def _preview_classifier(run_dir: Path, images: int, model: ClassifierModel, data: Splits, count: int) -> None:
    write_class_templates(run_dir, images, model, data_metadata(data[0]))


def _preview_translator(run_dir: Path, images: int, model: TranslatorModel, data: Splits, count: int) -> None:
    training, held_out = data
    show(run_dir, images, model, training if held_out is None else held_out, count)


PREVIEWS: dict[str, Callable[[Path, int, Any, Splits, int], None]] = {
    "generator": _preview_generator,
    "classifier": _preview_classifier,
    "translator": _preview_translator,
}  # by Model.kind


def write_previews(run_dir: Path, images: int, model: Model, data: Splits, count: int) -> None:
    """Write the preview images of a kind of model.

    Arguments:
        images: the clock; part of the file names.
        data: training set and held-out samples.
        count: of samples, or of translations (of held-out images, where there are any).
    """
    PREVIEWS[model.kind](run_dir, images, model, data, count)
