"""Dataset: samples in memory or memory-mapped, their batches, the shuffled order of an epoch, and random
crops.

The order is a pure function of the seed and the position, so there is no sampler state: a resumed run takes
the slice that comes next, and in distributed training each process takes its rows of the same slice.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.core.shapes import Image, SampleSpec
from sparring.core.transparency import premultiply, unpremultiply
from sparring.data.config import DataConfig
from sparring.data.report import DataReport


@dataclass(eq=False, repr=False)
class Dataset:
    """Samples of one shape, with their labels; of two domains, those of domain A.

    `batch` returns images as x = v / 127.5 - 1 in [-1, 1], with colours multiplied by alpha where there is one (see
    `core.transparency`), and points as (v - centre) / scale. `centre` (d,) is the mean. `scale` (d,) is the root mean square
    distance from the centre divided by sqrt(d), the same number for all coordinates, so that shapes are not distorted.

    Arguments:
        samples: uint8 (n, h, w, c), memory-mapped, or float32 points (n, d) in the data's own units.
        labels: class indices int64 (n,), or None.
        classes: names of the classes; empty without labels.
        fingerprint: SHA-256 of the content and settings, the same on every machine.
        report: what was found in the source.
        config: the settings, with size and channels resolved.
        domain_b: the samples of domain B, of the same size; None where there is one domain.
        paired: whether sample i of `domain_b` is the partner of sample i.
        test_set: the test split that came with the data, with a `domain_b` of its own.
        centre_and_scale: of points, where they are not those of `samples` (a subset keeps those of the whole).
    """

    samples: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    _: KW_ONLY
    fingerprint: str
    report: DataReport
    config: DataConfig
    domain_b: "Dataset | None" = None
    paired: bool = False
    test_set: "Dataset | None" = None
    centre_and_scale: tuple[np.ndarray, np.ndarray] | None = None
    centre: np.ndarray = field(init=False)
    scale: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        assert (self.samples.ndim, self.samples.dtype) in ((4, np.uint8), (2, np.float32))
        assert (self.labels is None) == (not self.classes)
        self.centre, self.scale = self.centre_and_scale or _centre_and_scale(self.samples)

    def replace(self, **changes: Any) -> "Dataset":
        """A copy with other constructor arguments; the samples are shared, and `centre` and `scale` stay."""
        unchanged = {"centre_and_scale": (self.centre, self.scale)}
        return dataclasses.replace(self, **{**unchanged, **changes})

    @property
    def spec(self) -> SampleSpec:
        """Shape of a sample, number of classes, and the shape of domain B."""
        shape = self.samples.shape[1:]
        return SampleSpec(
            shape=(shape[2], shape[0], shape[1]) if len(shape) == 3 else tuple(shape),
            num_classes=len(self.classes),
            shape_b=self.domain_b.spec.shape if self.domain_b is not None else None,
        )

    @property
    def units(self) -> dict[str, list[float]]:
        """`centre` and `scale` of points as lists, which `to_output` needs; empty for images."""
        return {} if self.spec.is_image else {"centre": self.centre.tolist(), "scale": self.scale.tolist()}

    @property
    def class_frequencies(self) -> Tensor:
        """Relative frequency of each class: float32 (classes,) with sum 1; empty without labels."""
        counts = (
            np.bincount(self.labels, minlength=len(self.classes)) if self.labels is not None else np.zeros(0)
        )
        return torch.tensor(counts / max(1, counts.sum()), dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def epoch_size(self) -> int:
        """Number of samples in the larger domain: the length of an epoch."""
        return max(len(self), len(self.domain_b) if self.domain_b is not None else 0)

    @property
    def smaller_size(self) -> int:
        """Number of samples in the smaller domain."""
        return min(len(self), len(self.domain_b) if self.domain_b is not None else len(self))

    def batch(
        self, indices: np.ndarray | Tensor, flip_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Samples as float32 (b, c, h, w) in channels-last memory, or points (b, d); labels int64 (b,) or None.

        Arguments:
            indices: of the samples (b,).
            flip_mask: images to mirror (b,), bool; None mirrors none.
        """
        rows = np.asarray(indices)
        labels = torch.from_numpy(self.labels[rows]) if self.labels is not None else None
        if not self.spec.is_image:
            assert flip_mask is None, "points are not mirrored"
            return torch.from_numpy((self.samples[rows] - self.centre) / self.scale), labels
        pixels = torch.from_numpy(np.asarray(self.samples[rows]))
        if flip_mask is not None:
            pixels[flip_mask] = pixels[flip_mask].flip(2)
        return premultiply(pixels.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)), labels

    def to_uint8(self, x: Tensor) -> np.ndarray:
        """Images in [-1, 1] (n, c, h, w) as uint8 (n, h, w, c)."""
        return to_output(x, self.spec, self.units)

    def points(self, x: Tensor) -> np.ndarray:
        """Normalised points (n, d) in the data's own units: float32 (n, d)."""
        return to_output(x, self.spec, self.units)


def to_input(images: np.ndarray) -> Tensor:
    """Images uint8 (n, h, w, c) as the input of a network: v / 127.5 - 1, float32 (n, c, h, w), a copy; of transparent ones the
    colours are multiplied by alpha.

    >>> to_input(np.array([[[[0]], [[255]]]], np.uint8)).ravel().tolist()
    [-1.0, 1.0]
    """
    return premultiply(torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1)


def to_output(x: Tensor, spec: SampleSpec, units: Mapping[str, Any]) -> np.ndarray:
    """The output of a generator as images or points: the inverse of `Dataset.batch`.

    Images are round((x + 1) * 127.5), clamped to uint8 (n, h, w, c), of transparent ones with the colours divided by alpha, and
    mid-grey where alpha is 0; points are x * scale + centre, float32 (n, d).

    Arguments:
        x: samples (n, *sample).
        spec: of the data.
        units: `Dataset.units`, stored with the generator.

    >>> to_output(torch.tensor([[[[-1.0, 0.0, 3.0]]]]), SampleSpec(shape=(1, 1, 3)), {}).ravel()
    array([  0, 128, 255], dtype=uint8)
    """
    values = x.detach().float().cpu()
    if spec.is_image:
        return (
            ((unpremultiply(values) + 1) * 127.5)
            .round()
            .clamp(0, 255)
            .to(torch.uint8)
            .permute(0, 2, 3, 1)
            .contiguous()
            .numpy()
        )
    centre, scale = (torch.tensor(units[name], dtype=torch.float32) for name in ("centre", "scale"))
    return (values * scale + centre).numpy()


def _centre_and_scale(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if points.ndim != 2:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    centre = points.mean(0, dtype=np.float64)
    spread = float(np.sqrt(np.mean((points - centre) ** 2)))
    scale = np.full(points.shape[1], spread if spread > 0 else 1.0)
    return centre.astype(np.float32), scale.astype(np.float32)


def shuffled_indices(seed: int, count: int, start: int, size: int, stream: str = "order") -> np.ndarray:
    """Sample indices at positions `start` to `start + size - 1` of the shuffled stream, int64 (size,).

    Epoch e, which is positions e * count to (e + 1) * count - 1, is a permutation of range(count) keyed by
    (seed, stream, e): each sample comes exactly once in each epoch.

    Arguments:
        seed: of the run.
        count: samples in the dataset, at least 1.
        start: position in the stream, in samples; not negative.
        size: number of indices; may exceed `count`.
        stream: name of the random stream; domain B has one of its own.

    Raises:
        ConfigError: `count`, `start` or `size` out of range.

    >>> sorted(shuffled_indices(0, 5, 5, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    if count < 1 or start < 0 or size < 0:
        raise ConfigError(
            f"{size} samples from position {start} of {count}",
            "count >= 1, start >= 0, size >= 0",
            "fix the numbers",
        )
    pieces = []
    while size > 0:
        epoch, offset = divmod(start, count)
        piece = _permutation(seed, count, epoch, stream)[offset : offset + size]
        pieces.append(piece)
        start, size = start + len(piece), size - len(piece)
    return np.concatenate(pieces) if pieces else np.empty(0, np.int64)


@lru_cache(maxsize=4)
def _permutation(seed: int, count: int, epoch: int, stream: str) -> np.ndarray:
    order = torch.randperm(count, generator=rng.make_generator(seed, stream, epoch)).numpy()
    order.flags.writeable = False
    return order


def enlarge_and_crop(x: Image, positions: Tensor, enlarge_by: float) -> Image:
    """Random crop: enlarge each image (bilinear) by 1 + `enlarge_by`, and cut a window of the old size out of it.

    The window starts floor(position * (room + 1)) pixels from the top and the left, where room is the number of pixels that the
    enlarging added. Two batches of images of one size that are cropped at the same positions stay aligned, pixel for pixel.

    References:
        Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004, section 6.2 (286 to
        256 pixels: an enlargement by 0.117).

    Arguments:
        x: (b, c, h, w).
        positions: of each window (b, 2) in [0, 1), down and across.
        enlarge_by: fraction by which each side grows; a side grows by whole pixels.

    Shape: (b, c, h, w) to (b, c, h, w).

    >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> bool((enlarge_and_crop(x, torch.zeros(1, 2), 0.0) == x).all())
    True
    """
    height, width = x.shape[2:]
    room = [round(height * enlarge_by), round(width * enlarge_by)]
    if not any(room):
        return x
    larger = F.interpolate(x, (height + room[0], width + room[1]), mode="bilinear", align_corners=False)
    corners = (positions * torch.tensor([side + 1.0 for side in room])).floor().long().tolist()
    windows = [
        image[:, top : top + height, left : left + width]
        for image, (top, left) in zip(larger, corners, strict=True)
    ]
    return torch.stack(windows).contiguous(memory_format=torch.channels_last)
