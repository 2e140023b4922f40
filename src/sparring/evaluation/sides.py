"""What is judged, and what it is judged against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sparring import keyed
from sparring.data import Dataset
from sparring.errors import DataError
from sparring.evaluation.bank import Bank
from sparring.evaluation.protocol import Split
from sparring.games.generation import Generation


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What translated pictures were made from.

    Arguments:
        given: the inputs, in the order of the pictures made of them; None where only the truth is known.
        paired: whether the i-th real sample of the reference is what the i-th input should have become.
        direction: `a-to-b` or `b-to-a`; empty where it is not known.
        back: from pictures as saved to pictures as saved, in the other direction; None without a translator for it.
        baselines: by name, what costs nothing to make of the inputs, in the same order.
        words: what these are, for the record.
    """

    given: Bank | None = None
    paired: bool = False
    direction: str = ""
    back: Callable[[np.ndarray], np.ndarray] | None = None
    baselines: Mapping[str, Bank] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        """What of it can be measured (see `Meaning.needs`)."""
        there = {"truth": self.paired, "input": self.given is not None, "way back": self.back is not None}
        return {name for name, is_there in there.items() if is_there}


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Generated samples, as they would be saved.

    Arguments:
        samples: uint8 (n, h, w, c) or float32 points (n, d).
        labels: the classes that they were made for (n,), as numbers of the reference's classes; or None.
        generation: what made them, where a metric needs it.
        source: a run, a folder, a file.
        fingerprint: of the samples or of what made them.
        images: of the checkpoint; None where there is none.
        units: of points, to bring the generator's samples into the data's units.
        origin: of translated pictures.
        order: numbers of samples; None takes them as they come.
        bank: made here.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    generation: Generation | None = None
    source: str = ""
    fingerprint: str = ""
    images: int | None = None
    units: dict[str, Any] = field(default_factory=dict)
    origin: Origin | None = None
    order: np.ndarray | None = None
    bank: Bank = field(init=False)

    def __post_init__(self) -> None:
        _check(self.samples, self.source or "generated samples")
        object.__setattr__(self, "bank", Bank(self.samples, self.labels, self.order))


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Real samples, in an order that is always the same: `fd1k` takes the first thousand of it.

    Arguments:
        samples, labels: as for `Sampled`.
        classes: names of the classes.
        split: `train` or `test`.
        source: what the user named.
        fingerprint: of the whole set.
        bank: made here. rows: floors that were measured before, by protocol.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    split: Split = "train"
    source: str = ""
    fingerprint: str = ""
    bank: Bank = field(init=False)
    order: np.ndarray = field(init=False, repr=False)
    rows: dict[str, Any] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _check(self.samples, self.source or "real samples")
        order = reference_order(len(self.samples))
        key = f"{self.identity} {self.samples.shape[1:]}" if self.fingerprint else ""
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "bank", Bank(self.samples, self.labels, order, key))

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> "Reference":
        """The reference that a data set is."""
        return cls(
            samples=dataset.samples,
            labels=dataset.labels,
            classes=dataset.classes,
            split=split,
            source=dataset.config.source,
            fingerprint=dataset.fingerprint,
        )

    @property
    def identity(self) -> str:
        """What must be the same for two results to be compared."""
        return f"{self.fingerprint[:16]} {self.split} {len(self.samples)}"


def reference_order(count: int) -> np.ndarray:
    """The order in which so many real samples are always taken."""
    return torch.randperm(count, generator=keyed.generator(0, "reference")).numpy()


def _check(samples: np.ndarray, what: str) -> None:
    right = (samples.ndim, samples.dtype) in ((4, np.dtype(np.uint8)), (2, np.dtype(np.float32)))
    if not right or 0 in samples.shape[1:]:
        raise DataError(
            f"{what}: {samples.dtype} of shape {samples.shape}",
            "uint8 pictures (n, h, w, c) or float32 points (n, d)",
            "save them as they would be shown",
        )
    if len(samples) == 0:
        raise DataError(f"{what}: empty", "samples", "make some, or name another set")
    if samples.ndim == 2:
        bad = int((~np.isfinite(samples).all(1)).sum())
        if bad:
            raise DataError(
                f"{what}: {bad:,} of {len(samples):,} points are not finite", "finite numbers", "mend them"
            )
