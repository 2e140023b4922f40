"""Encode samples and decode them again: latent codes, reconstructions and their grid."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.data import to_output
from sparring.data.image_grid import grid_image
from sparring.inference.sampling import to_model_input
from sparring.models.generator import GeneratorModel

BLOCK_SIZE = 64  # samples are always encoded in whole blocks of this size, so that rounding can't depend on how many there are
MIN_PAIR_COLUMNS, PAIR_ROWS = 8, 4  # of pairs in a sheet


@torch.no_grad()
def encode(
    generation: GeneratorModel, metadata: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> Tensor:
    """Codes float32 (n, code) of samples as they are saved, on the CPU; each depends on its sample (and label) alone.

    Arguments:
        facts: with `units`.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.
        labels: (n,) of a conditional model.
    """
    return _map_blocks(
        generation, to_model_input(generation.spec, metadata, samples), labels, generation.encode
    )


@torch.no_grad()
def reconstruct(
    generation: GeneratorModel, metadata: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> np.ndarray:
    """Samples as they come back from their codes, in the form in which they were given."""
    x = _map_blocks(
        generation, to_model_input(generation.spec, metadata, samples), labels, generation.reconstruct
    )
    return to_output(x, generation.spec, metadata["units"])


def _map_blocks(generation: GeneratorModel, x: Tensor, labels: Tensor | None, work: Any) -> Tensor:
    generation.encoder_decoder()
    device = next(generation.parameters()).device
    y = labels if generation.spec.num_classes else None
    done = []
    for start in range(0, len(x), BLOCK_SIZE):
        rows = torch.arange(start, start + BLOCK_SIZE).clamp_max(len(x) - 1)
        out = work(x[rows].to(device), None if y is None else y[rows].to(device))
        done.append(out[: len(x) - start].float().cpu())
    return torch.cat(done) if done else work(x.to(device), y)


def reconstruction_grid(real: np.ndarray, back: np.ndarray) -> Image.Image:
    """Rows in turn of images and of what comes back of them, uint8 (n, h, w, c), in a sheet that is no taller than wide or so."""
    columns = min(max(MIN_PAIR_COLUMNS, round((2 * len(real)) ** 0.5)), len(real))
    rows = [both[at : at + columns] for at in range(0, len(real), columns) for both in (real, back)]
    blank = np.full_like(real[:1], 255)
    whole = [np.concatenate([row, blank.repeat(columns - len(row), 0)]) for row in rows]
    return grid_image(np.concatenate(whole), columns)
