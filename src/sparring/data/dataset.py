"""Dataset: samples in memory or memory-mapped, their batches, the shuffled order of an epoch, and random
crops.

The order is a pure function of the seed and the position, so there is no sampler state: a resumed run asks
for the slice that comes next, and any number of processes cut their rows out of the same slice.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.core.shapes import Image, SampleSpec
from sparring.data.config import DataConfig
from sparring.data.report import DataReport

Units = Mapping[str, Sequence[float]]


class Dataset:
    """A set of samples of one shape.

    Images are dealt as x = v / 127.5 - 1 in [-1, 1]; points as (v - centre) / scale, where `centre` (d,) is
    the mean and `scale` (d,), one and the same number for all coordinates so that the geometry stays as it
    is, is the root mean square distance from the centre divided by sqrt(d).

    Arguments:
        samples: uint8 (n, h, w, c), memory-mapped, or float32 points (n, d) in their own units.
        labels: int64 (n,), or None.
        classes: their names; empty without labels.
        fingerprint: SHA-256 of what the set is, the same on every machine.
        report: what was found.
        config: the settings, with size and channels filled in.
        domain_b: the second domain's set, of the same size; None for ordinary data.

    Of data with two domains the readers fill in `paired`, whether sample i of `other` is the partner of sample i, and `test_set`, the
    test part that came with it, which has an `other` of its own.
    """

    def __init__(
        self,
        samples: np.ndarray,
        labels: np.ndarray | None,
        classes: tuple[str, ...],
        *,
        fingerprint: str,
        report: DataReport,
        config: DataConfig,
        domain_b: "Dataset | None" = None,
    ) -> None:
        assert (samples.ndim, samples.dtype) in ((4, np.uint8), (2, np.float32))
        assert (labels is None) == (not classes)
        self.samples, self.labels, self.classes = samples, labels, classes
        self.fingerprint, self.report, self.config = fingerprint, report, config
        self.domain_b, self.paired = domain_b, False
        self.test_set: Dataset | None = None
        self.centre, self.scale = _centre_and_scale(samples)

    @property
    def spec(self) -> SampleSpec:
        """What one sample is."""
        shape = self.samples.shape[1:]
        return SampleSpec(
            shape=(shape[2], shape[0], shape[1]) if len(shape) == 3 else tuple(shape),
            num_classes=len(self.classes),
            shape_b=self.domain_b.spec.shape if self.domain_b is not None else None,
        )

    @property
    def units(self) -> dict[str, list[float]]:
        """What `to_output` needs beside the spec, as plain numbers: `centre` and `scale` of points, nothing for images."""
        return {} if self.spec.is_image else {"centre": self.centre.tolist(), "scale": self.scale.tolist()}

    @property
    def class_frequencies(self) -> Tensor:
        """How much of the set each class makes up: float32 (classes,), of sum 1; empty without labels."""
        counts = (
            np.bincount(self.labels, minlength=len(self.classes)) if self.labels is not None else np.zeros(0)
        )
        return torch.tensor(counts / max(1, counts.sum()), dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def epoch_size(self) -> int:
        """Samples of the domain that has more of them."""
        return max(len(self), len(self.domain_b) if self.domain_b is not None else 0)

    @property
    def smaller_size(self) -> int:
        """Samples of the domain that has fewer of them."""
        return min(len(self), len(self.domain_b) if self.domain_b is not None else len(self))

    def batch(
        self, indices: np.ndarray | Tensor, flip_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The samples of these numbers as float32 (b, c, h, w) in channels-last memory, or (b, d); labels
        int64 (b,).

        Arguments:
            indices: numbers of samples (b,).
            flips: which images to mirror (b,), bool; None mirrors none.
        """
        rows = np.asarray(indices)
        labels = torch.from_numpy(self.labels[rows]) if self.labels is not None else None
        if not self.spec.is_image:
            assert flip_mask is None, "points are not mirrored"
            return torch.from_numpy((self.samples[rows] - self.centre) / self.scale), labels
        pixels = torch.from_numpy(np.asarray(self.samples[rows]))
        if flip_mask is not None:
            pixels[flip_mask] = pixels[flip_mask].flip(2)
        return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1), labels

    def to_uint8(self, x: Tensor) -> np.ndarray:
        """Images as they are saved: uint8 (n, h, w, c)."""
        return to_output(x, self.spec, self.units)

    def points(self, x: Tensor) -> np.ndarray:
        """Points in the data's own units: float32 (n, d)."""
        return to_output(x, self.spec, self.units)


def to_input(pictures: np.ndarray) -> Tensor:
    """Images as they are saved, uint8 (n, h, w, c), as networks take them: v / 127.5 - 1, float32 (n, c, h, w). A copy.

    >>> to_input(np.array([[[[0]], [[255]]]], np.uint8)).ravel().tolist()
    [-1.0, 1.0]
    """
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_output(x: Tensor, spec: SampleSpec, units: Mapping[str, Any]) -> np.ndarray:
    """Samples in the form in which they are saved: round((x + 1) * 127.5) cut to uint8 (n, h, w, c), or x *
    scale + centre as float32 (n, d).

    Arguments:
        x: (n, *sample), as a generator makes them.
        spec: of the data.
        units: `Dataset.units`, kept with the generator.

    >>> to_output(torch.tensor([[[[-1.0, 0.0, 3.0]]]]), SampleSpec(shape=(1, 1, 3)), {}).ravel()
    array([  0, 128, 255], dtype=uint8)
    """
    values = x.detach().float().cpu()
    if spec.is_image:
        return (
            ((values + 1) * 127.5)
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
    """The numbers of samples `start` to `start + size - 1` of the stream, int64 (size,).

    Epoch e, which is positions e * count to (e + 1) * count - 1, is a permutation of range(count) keyed by
    (seed, stream, e): each sample comes exactly once in each epoch.

    Arguments:
        seed: of the run.
        count: samples in the set, at least 1.
        start: position in the stream, in samples; not negative.
        size: how many; may exceed `count`.
        stream: of the randomness: another one for a second set that is dealt beside the first.

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
    """Each image enlarged (bilinear) by 1 + jitter, and a window of the old size cut out of it.

    The window's corner is floor(place * (room + 1)) pixels from the top and the left, where room is what the enlarging added.
    Two sets of images of one size that are given the same places stay aligned, pixel for pixel.

    References:
        Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004, section 6.2 (286 to
        256 pixels: a jitter of 0.117).

    Arguments:
        x: (b, c, h, w).
        places: where each window lies (b, 2) in [0, 1), down and across.
        jitter: share by which each side grows; a side grows by whole pixels.

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
        picture[:, top : top + height, left : left + width]
        for picture, (top, left) in zip(larger, corners, strict=True)
    ]
    return torch.stack(windows).contiguous(memory_format=torch.channels_last)
