"""Generated and real samples as the metrics see them, and how generated samples are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import DataError
from sparring.core.progress import ProgressMonitor
from sparring.data import Dataset, to_output
from sparring.evaluation.feature_bank import FeatureBank
from sparring.models.generator import GeneratorModel
from sparring.protocols.protocol import Split
from sparring.runs.load_model import EvaluatedModel


@dataclass(frozen=True, kw_only=True)
class TranslationSource:
    """What translated images were made from.

    Arguments:
        given: the inputs, in the order of the images made of them; None where only the truth is known.
        paired: whether the i-th real sample of the reference is what the i-th input should have become.
        direction: `a-to-b` or `b-to-a`; empty where it is not known.
        back: from images as saved to images as saved, in the other direction; None without a translator for it.
        baselines: by name, what costs nothing to make of the inputs, in the same order.
        words: what these are, for the record.
    """

    inputs: FeatureBank | None = None
    paired: bool = False
    direction: str = ""
    translate_back: Callable[[np.ndarray], np.ndarray] | None = None
    baselines: Mapping[str, FeatureBank] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        """What of it can be measured (see `Meaning.needs`)."""
        there = {
            "truth": self.paired,
            "input": self.inputs is not None,
            "way back": self.translate_back is not None,
        }
        return {name for name, is_there in there.items() if is_there}


@dataclass(frozen=True, kw_only=True)
class GeneratedSamples:
    """Generated samples, as they would be saved.

    Arguments:
        samples: uint8 (n, h, w, c) or float32 points (n, d).
        labels: the classes that they were made for (n,), as numbers of the reference's classes; or None.
        generation: what made them, where a metric needs it.
        source: a run, a folder, a file.
        fingerprint: of the samples or of what made them.
        images: of the checkpoint; None where there is none.
        units: of points, to bring the generator's samples into the data's units.
        origin: of translated images.
        order: numbers of samples; None takes them as they come.
        bank: made here.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    generation: GeneratorModel | None = None
    source: str = ""
    fingerprint: str = ""
    images: int | None = None
    units: dict[str, Any] = field(default_factory=dict)
    origin: TranslationSource | None = None
    order: np.ndarray | None = None
    bank: FeatureBank = field(init=False)

    def __post_init__(self) -> None:
        _check_samples(self.samples, self.source or "generated samples")
        object.__setattr__(self, "bank", FeatureBank(self.samples, self.labels, self.order))


@dataclass(frozen=True, kw_only=True)
class RealSamples:
    """Real samples, in an order that is always the same: `fd1k` takes the first thousand of it.

    Arguments:
        samples, labels: as for `GeneratedSamples`.
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
    bank: FeatureBank = field(init=False)
    order: np.ndarray = field(init=False, repr=False)
    rows: dict[str, Any] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _check_samples(self.samples, self.source or "real samples")
        order = reference_order(len(self.samples))
        key = f"{self.identity} {self.samples.shape[1:]}" if self.fingerprint else ""
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "bank", FeatureBank(self.samples, self.labels, order, key))

    @classmethod
    def from_dataset(cls, dataset: Dataset, split: Split) -> "RealSamples":
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
    return torch.randperm(count, generator=rng.make_generator(0, "reference")).numpy()


def _check_samples(samples: np.ndarray, what: str) -> None:
    right = (samples.ndim, samples.dtype) in ((4, np.dtype(np.uint8)), (2, np.dtype(np.float32)))
    if not right or 0 in samples.shape[1:]:
        raise DataError(
            f"{what}: {samples.dtype} of shape {samples.shape}",
            "uint8 images (n, h, w, c) or float32 points (n, d)",
            "save them as they would be shown",
        )
    if len(samples) == 0:
        raise DataError(f"{what}: empty", "samples", "make some, or name another set")
    if samples.ndim == 2:
        bad = int((~np.isfinite(samples).all(1)).sum())
        if bad:
            raise DataError(
                f"{what}: {bad:,} of {len(samples):,} points are not finite", "finite numbers", "fix them"
            )


SAMPLE_BLOCK = 64  # samples between two looks at Ctrl-C


def generate_samples(
    subject: EvaluatedModel, count: int, seed: int, monitor: ProgressMonitor, *, labelled: bool
) -> GeneratedSamples:
    """`count` samples of the generator, as they would be saved; sample i is that of `sparring sample --seed`.

    Arguments:
        labelled: whether its classes are the data's, so that the labels mean something.

    Raises:
        DataError: the generator makes what is not finite.
    """
    generation, pieces = subject.generation, []
    monitor.begin(-(-count // SAMPLE_BLOCK))
    for at in range(0, count, SAMPLE_BLOCK):
        made = generation.sample(seed, range(at, min(at + SAMPLE_BLOCK, count)))
        bad = int((~made.flatten(1).isfinite().all(1)).sum())
        if bad:
            raise DataError(
                f"{subject.source}: {bad:,} of {len(made):,} samples hold values that are not finite",
                "finite numbers",
                "the generator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        pieces.append(to_output(made, generation.spec, subject.metadata["units"]))
        monitor.step()
    drawn = generation.draw_labels(seed, range(count)) if labelled else None
    return GeneratedSamples(
        samples=np.concatenate(pieces),
        labels=None if drawn is None else drawn.numpy(),
        generation=generation,
        source=f"{subject.source} at image {subject.images:,}",
        fingerprint=subject.fingerprint,
        images=subject.images,
        units=subject.metadata["units"],
    )


def samples_from_dataset(dataset: Dataset, source: str, classes: tuple[str, ...]) -> GeneratedSamples:
    """Samples that somebody made, with their labels as numbers of the reference's classes where the names are the same."""
    labels = None
    numbers = match_class_indices(dataset.classes, classes)
    if dataset.labels is not None and numbers is not None:
        labels = np.array(numbers)[dataset.labels]
    order = torch.randperm(len(dataset), generator=rng.make_generator(0, "samples")).numpy()
    return GeneratedSamples(
        samples=np.asarray(dataset.samples)[order],
        labels=None if labels is None else labels[order],
        source=source,
        fingerprint=dataset.fingerprint,
    )


def paired_samples_from_dataset(dataset: Dataset) -> GeneratedSamples:
    """Samples that somebody made, in the order in which their true partners are taken."""
    return GeneratedSamples(
        samples=np.asarray(dataset.samples),
        source=dataset.config.source,
        fingerprint=dataset.fingerprint,
        order=reference_order(len(dataset)),
        origin=TranslationSource(paired=True),
    )


def match_class_indices(ours: tuple[str, ...], classes: tuple[str, ...]) -> list[int] | None:
    """Which of `classes` each of our names is: the same name, or (as `sparring sample` writes it) its number.

    >>> match_class_indices(("1", "0"), ("cat", "dog")), match_class_indices(("cat", "cow"), ("cat", "dog"))
    ([1, 0], None)
    """
    if ours and set(ours) <= set(classes):
        return [classes.index(name) for name in ours]
    if ours and all(name.isdigit() and int(name) < len(classes) for name in ours):
        return [int(name) for name in ours]
    return None
