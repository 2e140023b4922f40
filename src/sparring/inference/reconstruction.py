"""Latent codes and reconstructions of samples, and grids of both."""

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

BLOCK_SIZE = 64  # every batch has this size, so that rounding does not depend on the number of samples
MIN_PAIR_COLUMNS, PAIR_ROWS = 8, 4  # of a grid of pairs


@torch.no_grad()
def encode(
    generation: GeneratorModel, metadata: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> Tensor:
    """Codes float32 (n, code) of samples, on the CPU. Each depends on its own sample (and label) alone.

    Arguments:
        generation: a model with an encoder.
        metadata: of the model, with `units`.
        samples: uint8 (n, h, w, c) of the run's size, or points (n, d) in the data's own units.
        labels: (n,), for a conditional model.

    Raises:
        SparringError: the model has no encoder. DataError: samples of another type or size.
    """
    return _map_blocks(
        generation, to_model_input(generation.spec, metadata, samples), labels, generation.encode
    )


@torch.no_grad()
def reconstruct(
    generation: GeneratorModel, metadata: Mapping[str, Any], samples: np.ndarray, labels: Tensor | None = None
) -> np.ndarray:
    """Decoded codes of samples, in the format of the samples. Arguments and errors as of `encode`."""
    x = _map_blocks(
        generation, to_model_input(generation.spec, metadata, samples), labels, generation.reconstruct
    )
    return to_output(x, generation.spec, metadata["units"])


def _map_blocks(generation: GeneratorModel, x: Tensor, labels: Tensor | None, function: Any) -> Tensor:
    """Apply `function(x, y)` in batches of one size; the last batch is filled up with its last sample."""
    generation.encoder_decoder()
    device = next(generation.parameters()).device
    y = labels if generation.spec.num_classes else None
    outputs = []
    for start in range(0, len(x), BLOCK_SIZE):
        rows = torch.arange(start, start + BLOCK_SIZE).clamp_max(len(x) - 1)
        out = function(x[rows].to(device), None if y is None else y[rows].to(device))
        outputs.append(out[: len(x) - start].float().cpu())
    return torch.cat(outputs) if outputs else function(x.to(device), y)


def reconstruction_grid(samples: np.ndarray, reconstructions: np.ndarray) -> Image.Image:
    """A roughly square grid with alternate rows of images and their reconstructions, both uint8 (n, h, w, c)."""
    count = len(samples)
    columns = min(max(MIN_PAIR_COLUMNS, round((2 * count) ** 0.5)), count)
    pair = (samples, reconstructions)
    rows = [images[start : start + columns] for start in range(0, count, columns) for images in pair]
    blank = np.full_like(samples[:1], 255)
    filled = [np.concatenate([row, blank.repeat(columns - len(row), 0)]) for row in rows]
    return grid_image(np.concatenate(filled), columns)
