"""Samples to codes and back, as they are saved: reconstructions, their sheet, the map of codes of two numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring import storage
from sparring.data import Dataset, grid_image, points_image, to_output
from sparring.data.sheet import labelled_image
from sparring.games.classification import Kept
from sparring.games.generation import Generation
from sparring.samples import POINTS_SHOWN, inputs, png

FOLDER, CODES = "reconstructions", "codes"
BLOCK = 64  # samples are always encoded in whole blocks of this size, so that rounding can't depend on how many there are
COLUMNS, ROWS = 8, 4  # of pairs in a sheet


@torch.no_grad()
def codes(
    generation: Generation, facts: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> Tensor:
    """Codes float32 (n, code) of samples as they are saved, on the CPU; each depends on its sample (and label) alone.

    Arguments:
        facts: with `units`.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.
        labels: (n,) of a conditional model.
    """
    return _in_blocks(generation, inputs(generation.spec, facts, samples), labels, generation.encode)


@torch.no_grad()
def reconstructed(
    generation: Generation, facts: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> np.ndarray:
    """Samples as they come back from their codes, in the form in which they were given."""
    x = _in_blocks(generation, inputs(generation.spec, facts, samples), labels, generation.reconstruct)
    return to_output(x, generation.spec, facts["units"])


def _in_blocks(generation: Generation, x: Tensor, labels: Tensor | None, work: Any) -> Tensor:
    generation.coders()
    device = next(generation.parameters()).device
    y = labels if generation.spec.classes else None
    done = []
    for start in range(0, len(x), BLOCK):
        rows = torch.arange(start, start + BLOCK).clamp_max(len(x) - 1)
        out = work(x[rows].to(device), None if y is None else y[rows].to(device))
        done.append(out[: len(x) - start].float().cpu())
    return torch.cat(done) if done else work(x.to(device), y)


def show(run: Path, images: int, generation: Kept, dataset: Dataset) -> None:
    """Write the sheet of reconstructions of this moment, and the map of codes; nothing without an encoder."""
    if not isinstance(generation, Generation) or generation.encoder is None:
        return
    facts = {"units": dataset.units}
    wanted = COLUMNS * ROWS if dataset.spec.is_image else POINTS_SHOWN
    samples, labels = _some(dataset, wanted)
    back = reconstructed(generation, facts, samples, labels)
    picture = pairs_image(samples, back) if dataset.spec.is_image else points_image(back, samples)
    storage.make_folder(run / FOLDER)
    for place in (run / FOLDER / f"{images:012d}.png", run / f"{FOLDER}.png"):
        storage.write_whole(place, png(picture))
    if generation.encoder.posterior.code == 2:
        samples, labels = _some(dataset, POINTS_SHOWN)
        places = codes(generation, facts, samples, labels).numpy()
        shades = np.zeros(len(places), int) if labels is None else labels.numpy()
        names = [] if labels is None else dataset.classes
        storage.write_whole(run / f"{CODES}.png", png(labelled_image(places, shades, names)))


def pairs_image(real: np.ndarray, back: np.ndarray) -> Image.Image:
    """Rows in turn of pictures and of what comes back of them, uint8 (n, h, w, c), in a sheet that is no taller than wide or so."""
    columns = min(max(COLUMNS, round((2 * len(real)) ** 0.5)), len(real))
    rows = [both[at : at + columns] for at in range(0, len(real), columns) for both in (real, back)]
    blank = np.full_like(real[:1], 255)
    whole = [np.concatenate([row, blank.repeat(columns - len(row), 0)]) for row in rows]
    return grid_image(np.concatenate(whole), columns)


def _some(dataset: Dataset, count: int) -> tuple[np.ndarray, Tensor | None]:
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int))
    labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[rows])
    return np.asarray(dataset.samples[rows]), labels
