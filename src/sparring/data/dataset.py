"""Samples in memory and how they become batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.config import DataConfig
from sparring.data.report import DataReport
from sparring.shapes import Spec

Units = Mapping[str, Sequence[float]]


class Dataset:
    """A set of samples of one shape.

    Pictures are dealt as x = v / 127.5 - 1 in [-1, 1]; points as (v - centre) / scale, where `centre` (d,) is
    the mean and `scale` (d,), one and the same number for all coordinates so that the geometry stays as it
    is, is the root mean square distance from the centre divided by sqrt(d).

    Arguments:
        samples: uint8 (n, h, w, c), memory-mapped, or float32 points (n, d) in their own units.
        labels: int64 (n,), or None.
        classes: their names; empty without labels.
        fingerprint: SHA-256 of what the set is, the same on every machine.
        report: what was found.
        config: the settings, with size and channels filled in.
        other: the second domain's set, of the same size; None for ordinary data.

    Of data with two domains the readers fill in `paired`, whether sample i of `other` is the partner of sample i, and `held`, the
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
        other: "Dataset | None" = None,
    ) -> None:
        assert (samples.ndim, samples.dtype) in ((4, np.uint8), (2, np.float32))
        assert (labels is None) == (not classes)
        self.samples, self.labels, self.classes = samples, labels, classes
        self.fingerprint, self.report, self.config = fingerprint, report, config
        self.other, self.paired = other, False
        self.held: Dataset | None = None
        self.centre, self.scale = _standard(samples)

    @property
    def spec(self) -> Spec:
        """What one sample is."""
        shape = self.samples.shape[1:]
        return Spec(
            shape=(shape[2], shape[0], shape[1]) if len(shape) == 3 else tuple(shape),
            classes=len(self.classes),
            other=self.other.spec.shape if self.other is not None else None,
        )

    @property
    def units(self) -> dict[str, list[float]]:
        """What `to_output` needs beside the spec, as plain numbers: `centre` and `scale` of points, nothing for pictures."""
        return {} if self.spec.is_image else {"centre": self.centre.tolist(), "scale": self.scale.tolist()}

    @property
    def shares(self) -> Tensor:
        """How much of the set each class makes up: float32 (classes,), of sum 1; empty without labels."""
        counts = (
            np.bincount(self.labels, minlength=len(self.classes)) if self.labels is not None else np.zeros(0)
        )
        return torch.tensor(counts / max(1, counts.sum()), dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def epoch(self) -> int:
        """Samples of the domain that has more of them."""
        return max(len(self), len(self.other) if self.other is not None else 0)

    @property
    def fewest(self) -> int:
        """Samples of the domain that has fewer of them."""
        return min(len(self), len(self.other) if self.other is not None else len(self))

    def batch(
        self, indices: np.ndarray | Tensor, flips: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The samples of these numbers as float32 (b, c, h, w) in channels-last memory, or (b, d); labels
        int64 (b,).

        Arguments:
            indices: numbers of samples (b,).
            flips: which pictures to mirror (b,), bool; None mirrors none.
        """
        rows = np.asarray(indices)
        labels = torch.from_numpy(self.labels[rows]) if self.labels is not None else None
        if not self.spec.is_image:
            assert flips is None, "points are not mirrored"
            return torch.from_numpy((self.samples[rows] - self.centre) / self.scale), labels
        pixels = torch.from_numpy(np.asarray(self.samples[rows]))
        if flips is not None:
            pixels[flips] = pixels[flips].flip(2)
        return pixels.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1), labels

    def to_uint8(self, x: Tensor) -> np.ndarray:
        """Pictures as they are saved: uint8 (n, h, w, c)."""
        return to_output(x, self.spec, self.units)

    def points(self, x: Tensor) -> np.ndarray:
        """Points in the data's own units: float32 (n, d)."""
        return to_output(x, self.spec, self.units)


def to_input(pictures: np.ndarray) -> Tensor:
    """Pictures as they are saved, uint8 (n, h, w, c), as networks take them: v / 127.5 - 1, float32 (n, c, h, w). A copy.

    >>> to_input(np.array([[[[0]], [[255]]]], np.uint8)).ravel().tolist()
    [-1.0, 1.0]
    """
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_output(x: Tensor, spec: Spec, units: Mapping[str, Any]) -> np.ndarray:
    """Samples in the form in which they are saved: round((x + 1) * 127.5) cut to uint8 (n, h, w, c), or x *
    scale + centre as float32 (n, d).

    Arguments:
        x: (n, *sample), as a generator makes them.
        spec: of the data.
        units: `Dataset.units`, kept with the generator.

    >>> to_output(torch.tensor([[[[-1.0, 0.0, 3.0]]]]), Spec(shape=(1, 1, 3)), {}).ravel()
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


def _standard(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if points.ndim != 2:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    centre = points.mean(0, dtype=np.float64)
    spread = float(np.sqrt(np.mean((points - centre) ** 2)))
    scale = np.full(points.shape[1], spread if spread > 0 else 1.0)
    return centre.astype(np.float32), scale.astype(np.float32)
