"""DiffAugment: differentiable augmentation of real and generated images, for small data sets."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.interfaces import Augmentation
from sparring.core.rng import KeyedRandom
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import Image, Sample


@dataclass(frozen=True, kw_only=True)
class DiffAugment(Augmentation):
    """Random colour, translation and cutout of all inputs of the discriminator, differentiable.

    The discriminator compares the distributions of T(x) and T(G(z)) for the same random transforms T, which keeps it from
    memorising a small data set.

        colour       brightness + U(-1/2, 1/2), saturation * U(0, 2), contrast * U(1/2, 3/2)
        translation  a shift by up to 1/8 of each side, in whole pixels, padded with 0 (grey)
        cutout       a rectangle of half of each side is set to 0 (grey), its centre anywhere

    Deviation: `strength` scales all ranges, for annealing. An alpha channel (the last of 2 or 4) is shifted and cut out with the
    colours, which leaves transparency instead of grey; colours that are multiplied by alpha stay so.

    References:
        Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", arXiv 2006.10738,
            sec. 3.

    Arguments:
        policy: the transforms, in order. Default all three, as in the paper for few images.
        strength: from 0, no change, to 1, the paper's ranges.

    Shape: that of the samples, which must be images (b, c, h, w).
    """

    policy: tuple[Literal["colour", "translation", "cutout"], ...] = ("colour", "translation", "cutout")
    strength: Schedule = 1.0

    def __post_init__(self) -> None:
        unknown = set(self.policy) - set(TRANSFORMS)
        if unknown or len(set(self.policy)) < len(self.policy):
            raise ConfigError(
                f"policy {self.policy}", f"some of {', '.join(TRANSFORMS)}, each once", "fix the list"
            )
        ends = value_at(self.strength, 0), value_at(self.strength, 10**18)
        if not (min(ends) >= 0 and max(ends) <= 1):
            raise ConfigError(f"strength {self.strength}", "between 0 and 1", "1 is the paper's")

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample:
        if samples.ndim != 4:
            raise ConfigError(
                f"DiffAugment of samples {tuple(samples.shape[1:])}",
                "images (c, h, w)",
                "leave it out for points",
            )
        strength = value_at(self.strength, images)
        for name in self.policy:
            numbers = rng.uniform(f"{stream}.{name}", 3)[: len(samples)]
            samples = TRANSFORMS[name](samples, numbers, strength)
        return samples


def colour(x: Image, numbers: Tensor, strength: float) -> Image:
    """Brightness, saturation and contrast of the colour channels, by `numbers` (b, 3) in [0, 1)."""
    channels = x.shape[1] - (x.shape[1] in (2, 4))
    brightness, saturation, contrast = (strength * (2 * numbers - 1)).reshape(-1, 3, 1, 1, 1).unbind(1)
    if channels < x.shape[1]:
        opacity = (x[:, channels:] + 1) / 2
        y = x[:, :channels] + brightness / 2 * opacity
        y = y + saturation * (y - y.mean(1, keepdim=True))
        mean = y.mean((1, 2, 3), keepdim=True) / opacity.mean((1, 2, 3), keepdim=True).clamp_min(1e-3)
        y = y + contrast / 2 * (y - mean * opacity)
        return torch.cat([y, x[:, channels:]], dim=1)
    y = x + brightness / 2
    y = y + saturation * (y - y.mean(1, keepdim=True))
    return y + contrast / 2 * (y - y.mean((1, 2, 3), keepdim=True))


def blank(x: Image, inside: Tensor) -> Image:
    """Images with 0 (grey), or transparency where they have an alpha channel, outside of `inside` (b, 1, h, w), bool."""
    if x.shape[1] not in (2, 4):
        return x * inside
    ground = torch.zeros(x.shape[1], 1, 1, dtype=x.dtype, device=x.device)
    ground[-1] = -1
    return torch.where(inside, x, ground)


def translation(x: Image, numbers: Tensor, strength: float) -> Image:
    """A shift by whole pixels, down and right by the first two of `numbers` (b, 3) in [0, 1)."""
    height, width = x.shape[2:]
    down, right = (_shift(numbers[:, axis], side, strength) for axis, side in enumerate((height, width)))
    return shift(x, down, right)


def shift(x: Image, down: Tensor, right: Tensor) -> Image:
    """Each image shifted by its own whole number of pixels (b,), padded as `blank` does."""
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device) - down[:, None]
    columns = torch.arange(width, device=x.device) - right[:, None]
    inside = _in_range(rows, height)[:, :, None] & _in_range(columns, width)[:, None, :]
    place = (rows % height)[:, :, None] * width + (columns % width)[:, None, :]
    shifted = x.flatten(2).gather(2, place.flatten(1)[:, None].expand(-1, x.shape[1], -1)).reshape(x.shape)
    return blank(shifted, inside[:, None])


def cutout(x: Image, numbers: Tensor, strength: float) -> Image:
    """A rectangle of half the sides set to zero, placed by the first two of `numbers` (b, 3) in [0, 1)."""
    height, width = x.shape[2:]
    rows, columns = (
        _cutout_lines(numbers[:, axis], side, strength) for axis, side in enumerate((height, width))
    )
    return blank(x, ~(rows[:, :, None] & columns[:, None, :])[:, None])


def _shift(numbers: Tensor, side: int, strength: float) -> Tensor:
    most = int(side * strength / 8 + 0.5)
    return (numbers * (2 * most + 1)).long() - most


def _cutout_lines(numbers: Tensor, side: int, strength: float) -> Tensor:
    """Which of `side` lines lie in the rectangle (b, side)."""
    size = int(side * strength / 2 + 0.5)
    centre = (numbers * (side + 1 - size % 2)).long()
    first = centre - size // 2
    lines = torch.arange(side, device=numbers.device) - first[:, None]
    return _in_range(lines, size)


def _in_range(lines: Tensor, size: int) -> Tensor:
    return (lines >= 0) & (lines < size)


TRANSFORMS = {"colour": colour, "translation": translation, "cutout": cutout}
