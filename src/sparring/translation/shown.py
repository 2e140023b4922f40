"""The sheet of translations: real pictures that are always the same, what they become, and what they should."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sparring import storage
from sparring.data import Dataset, grid_image, to_input, to_output
from sparring.games.translation import A_TO_B, Translation
from sparring.samples import FOLDER, png
from sparring.shapes import Spec

BROADEST = 1_200  # pixels that a sheet is broad at the most, where a row of one picture is not broader
GAP = 10


def show(run: Path, images: int, translation: Translation, dataset: Dataset, count: int) -> None:
    """Write the sheet of this moment.

    Arguments:
        dataset: where its pictures come from; those held out, where there are any.
        count: of pictures.
    """
    data = png(sheet(translation, dataset, count))
    storage.make_folder(run / FOLDER)
    for place in (run / FOLDER / f"{images:012d}.png", run / f"{FOLDER}.png"):
        storage.write_whole(place, data)


def sheet(translation: Translation, dataset: Dataset, count: int) -> Image.Image:
    """Rows of: a picture, its translation, and its partner; without partners what comes back of it, where there is a way back. With
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


def _block(translation: Translation, dataset: Dataset, direction: str, count: int) -> np.ndarray:
    """Pictures uint8 (n, k, h, w, c): each with what becomes of it."""
    assert dataset.other is not None
    near, far = (dataset, dataset.other) if direction == A_TO_B else (dataset.other, dataset)
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
def translated(translation: Translation, pictures: np.ndarray, direction: str) -> np.ndarray:
    """Pictures uint8 (n, h, w, c) of the other domain, each by itself."""
    device = next(translation.parameters()).device
    made = []
    for picture in pictures:
        y = translation.translate(to_input(picture[None]).to(device), direction)
        made.append(to_output(y, Spec(shape=tuple(y.shape[1:])), {}))
    return np.concatenate(made)


def _with_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Grey pictures as coloured ones, opaque ones with full opacity."""
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
