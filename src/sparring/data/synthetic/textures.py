"""Textures of the polygon dataset: six classes in three pairs, the two of a pair with the same mean colour."""

import math

import numpy as np

TEXTURE_NAMES = ("stripes", "dots", "bars", "blotches", "checks", "ramps")
COLOURS = np.repeat(np.array([[0.74, 0.50, 0.36], [0.36, 0.52, 0.70], [0.45, 0.56, 0.36]], np.float32), 2, 0)
CONTRAST, COLOUR_JITTER, LIGHT, GRAIN = 0.22, 0.06, 0.25, 0.04
MIN_PERIOD, PERIOD_RANGE = 5.0, 4.0  # of a texture in pixels: uniform in [5, 9)


def render_scenes(maps: np.ndarray, style: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Scenes uint8 (n, h, w, 3): the colour and texture of each class, under a light that falls off to one side.

    Arguments:
        maps: class of each pixel (n, h, w).
        style: uniform numbers in [0, 1), float32 (n, 1 + classes, 12): for the light, then for the texture of each class.
        grain: uniform numbers in [0, 1), float32 (n, 2, h, w): for the fine noise and for the blotches.
    """
    rows, columns = np.meshgrid(
        *(np.arange(side, dtype=np.float32) for side in maps.shape[1:]), indexing="ij"
    )
    texture = np.zeros(maps.shape, np.float32)
    colour = np.zeros((*maps.shape, 3), np.float32)
    for kind, name in enumerate(TEXTURE_NAMES):
        mask = maps == kind
        numbers = style[:, 1 + kind, :, None, None]
        wave = _blotches(grain[:, 1]) if name == "blotches" else _texture(name, rows, columns, numbers)
        texture[mask] = wave[mask]
        jittered = COLOURS[kind] + COLOUR_JITTER * (2 * style[:, 1 + kind, :3] - 1)
        colour[mask] = np.broadcast_to(jittered[:, None, None], colour.shape)[mask]
    values = colour + CONTRAST * texture[..., None] + GRAIN * (2 * grain[:, 0, ..., None] - 1)
    values *= 1 + LIGHT * _illumination(rows, columns, style[:, 0, :, None, None])[..., None]
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def _texture(name: str, rows: np.ndarray, columns: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """A texture (n, h, w) of mean about 0 within [-1, 1]; period, rotation and phases are from `numbers`, uniform in [0, 1)."""
    step = 2 * math.pi / (MIN_PERIOD + PERIOD_RANGE * numbers[:, 3])
    rotation = 0.5 * (numbers[:, 4] - 0.5) + (math.pi / 2 if name == "bars" else 0.0)
    down = step * (np.cos(rotation) * rows + np.sin(rotation) * columns) + 2 * math.pi * numbers[:, 5]
    right = step * (np.cos(rotation) * columns - np.sin(rotation) * rows) + 2 * math.pi * numbers[:, 6]
    if name == "dots":  # light on a darker ground
        return np.where(np.cos(down) + np.cos(right) > 0.7, 1.0, -0.45).astype(np.float32)
    if name == "checks":
        return np.sign(np.sin(down / 1.5) * np.sin(right / 1.5))
    if name == "ramps":  # a slow saw-tooth in any direction
        angle = 2 * math.pi * numbers[:, 7]
        position = (np.cos(angle) * rows + np.sin(angle) * columns) / (
            3 * (MIN_PERIOD + PERIOD_RANGE * numbers[:, 3])
        )
        return 2 * ((position + numbers[:, 8]) % 1) - 1
    return np.sin(down)


def _blotches(noise: np.ndarray) -> np.ndarray:
    """Noise (n, h, w) after two 3x3 box filters, of deviation about 0.6."""
    smooth = noise - 0.5
    for axis in (1, 2, 1, 2):
        smooth = (np.roll(smooth, 1, axis) + smooth + np.roll(smooth, -1, axis)) / 3
    return (8 * smooth).clip(-1, 1)


def _illumination(rows: np.ndarray, columns: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    angle = 2 * math.pi * numbers[:, 0]
    across = np.cos(angle) * (2 * rows / rows.max() - 1) + np.sin(angle) * (2 * columns / columns.max() - 1)
    return numbers[:, 1] * across / math.sqrt(2)
