"""Generated and real samples as the metrics take them, and functions that generate or read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
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

SAMPLE_BLOCK = 64  # samples between two polls of the monitor


@dataclass(frozen=True, kw_only=True)
class TranslationSource:
    """Where translated images come from.

    Arguments:
        inputs: the input of each image, in order; None if only the targets are known.
        paired: whether the i-th real sample of the reference is the target of the i-th input.
        direction: `a-to-b` or `b-to-a`; empty if unknown.
        translate_back: the opposite direction, images uint8 (n, h, w, k) to (n, h, w, c); None without one.
        baselines: trivial translations of the inputs, by name, in the same order.
        details: names of the data, for the record.
    """

    inputs: FeatureBank | None = None
    paired: bool = False
    direction: str = ""
    translate_back: Callable[[np.ndarray], np.ndarray] | None = None
    baselines: Mapping[str, FeatureBank] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def available(self) -> frozenset[str]:
        """What paired metrics can be computed from (see `MetricInfo.needs`)."""
        has = {
            "target": self.paired,
            "input": self.inputs is not None,
            "reverse": self.translate_back is not None,
        }
        return frozenset(name for name, is_there in has.items() if is_there)


@dataclass(frozen=True, kw_only=True)
class GeneratedSamples:
    """Generated samples, quantised as they would be saved.

    Arguments:
        samples: images uint8 (n, h, w, c) or points float32 (n, d).
        labels: int64 (n,), indices of the reference's classes; or None.
        generator: of the samples, for metrics that need it.
        source: a run, a folder or a file, for messages.
        fingerprint: of the samples, or of the weights that made them.
        images: training images seen by the generator; None if unknown.
        units: of points, from the network's to the data's.
        origin: of translated images.
        order: indices of the samples (n,); None: as they are stored.
        features_from: a bank that begins with these very samples, whose features are used; None computes them.

    Raises:
        DataError: another type or shape, no samples, points that are not finite, or labels of another number.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    generator: GeneratorModel | None = None
    source: str = ""
    fingerprint: str = ""
    images: int | None = None
    units: dict[str, Any] = field(default_factory=dict)
    origin: TranslationSource | None = None
    order: np.ndarray | None = None
    features_from: FeatureBank | None = None

    def __post_init__(self) -> None:
        _check_samples(self.samples, self.labels, self.source or "generated samples")

    @cached_property
    def bank(self) -> FeatureBank:
        """The samples in order, with their features."""
        return self.features_from or FeatureBank(self.samples, self.labels, self.order)


@dataclass(frozen=True, kw_only=True)
class RealSamples:
    """Real samples in a fixed pseudo-random order: `fd1k` takes the first thousand.

    Arguments:
        samples, labels: as of `GeneratedSamples`.
        classes: names of the classes.
        split: `train` or `test`.
        source: name of the data.
        fingerprint: of the complete data set.

    Raises:
        DataError: as of `GeneratedSamples`.
    """

    samples: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    split: Split = "train"
    source: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        _check_samples(self.samples, self.labels, self.source or "real samples")

    @classmethod
    def from_dataset(cls, dataset: Dataset, split: Split) -> "RealSamples":
        """The samples of a data set, or of a part of it."""
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
        """Equal for two results that can be compared."""
        return f"{self.fingerprint[:16]} {self.split} {len(self.samples)}"

    @cached_property
    def order(self) -> np.ndarray:
        """Indices of the samples (n,)."""
        return reference_order(len(self.samples))

    @cached_property
    def bank(self) -> FeatureBank:
        """The samples in order, with their features."""
        key = f"{self.identity} {self.samples.shape[1:]}" if self.fingerprint else ""
        return FeatureBank(self.samples, self.labels, self.order, key)


def reference_order(count: int) -> np.ndarray:
    """The permutation (count,) in which real samples are always taken."""
    return torch.randperm(count, generator=rng.make_generator(0, "reference")).numpy()


def _check_samples(samples: np.ndarray, labels: np.ndarray | None, name: str) -> None:
    is_valid = (samples.ndim, samples.dtype) in ((4, np.dtype(np.uint8)), (2, np.dtype(np.float32)))
    if not is_valid or 0 in samples.shape[1:]:
        raise DataError(
            f"{name}: {samples.dtype} of shape {samples.shape}",
            "uint8 images (n, h, w, c) or float32 points (n, d)",
            "save them in one of these formats",
        )
    if len(samples) == 0:
        raise DataError(f"{name}: empty", "samples", "generate some, or name another set")
    if labels is not None and len(labels) != len(samples):
        raise DataError(
            f"{name}: {len(labels):,} labels for {len(samples):,} samples", "one each", "fix them"
        )
    if samples.ndim == 2:
        num_bad = int((~np.isfinite(samples).all(1)).sum())
        if num_bad:
            raise DataError(
                f"{name}: {num_bad:,} of {len(samples):,} points are not finite", "finite numbers", "fix them"
            )


def generate_samples(
    model: EvaluatedModel, count: int, seed: int, monitor: ProgressMonitor, *, labelled: bool
) -> GeneratedSamples:
    """Draw samples of a generator; sample i is that of `sparring sample --seed`.

    Arguments:
        labelled: whether the classes of the generator are those of the real data, so that labels can be compared.

    Raises:
        DataError: samples that are not finite.
    """
    generator, units, blocks = model.generator, model.metadata["units"], []
    monitor.begin(-(-count // SAMPLE_BLOCK))
    for at in range(0, count, SAMPLE_BLOCK):
        x = generator.sample(seed, range(at, min(at + SAMPLE_BLOCK, count)))
        num_bad = int((~x.flatten(1).isfinite().all(1)).sum())
        if num_bad:
            raise DataError(
                f"{model.source}: {num_bad:,} of {len(x):,} samples hold values that are not finite",
                "finite numbers",
                "the generator is broken: evaluate an older checkpoint (--checkpoint IMAGES)",
            )
        blocks.append(to_output(x, generator.spec, units))
        monitor.step()
    labels = generator.draw_labels(seed, range(count)) if labelled else None
    return GeneratedSamples(
        samples=np.concatenate(blocks),
        labels=None if labels is None else labels.numpy(),
        generator=generator,
        source=model.description,
        fingerprint=model.fingerprint,
        images=model.images,
        units=units,
    )


def samples_from_dataset(dataset: Dataset, source: str, classes: tuple[str, ...]) -> GeneratedSamples:
    """Samples from files, in a fixed pseudo-random order.

    Arguments:
        classes: of the real data. Labels are translated to its indices; with other names they are dropped.
    """
    labels = None
    indices = match_class_indices(dataset.classes, classes)
    if dataset.labels is not None and indices is not None:
        labels = np.array(indices)[dataset.labels]
    order = torch.randperm(len(dataset), generator=rng.make_generator(0, "samples")).numpy()
    return GeneratedSamples(
        samples=np.asarray(dataset.samples)[order],
        labels=None if labels is None else labels[order],
        source=source,
        fingerprint=dataset.fingerprint,
    )


def paired_samples_from_dataset(dataset: Dataset) -> GeneratedSamples:
    """Samples from files whose targets have the same file names, in the order of the targets."""
    return GeneratedSamples(
        samples=np.asarray(dataset.samples),
        source=dataset.config.source,
        fingerprint=dataset.fingerprint,
        order=reference_order(len(dataset)),
        origin=TranslationSource(paired=True),
    )


def match_class_indices(names: tuple[str, ...], classes: tuple[str, ...]) -> list[int] | None:
    """The index in `classes` of each name: an equal name, or (as `sparring sample` writes it) the index itself.
    None if there are no names, or some match nothing.

    >>> match_class_indices(("1", "0"), ("cat", "dog")), match_class_indices(("cat", "cow"), ("cat", "dog"))
    ([1, 0], None)
    """
    if names and set(names) <= set(classes):
        return [classes.index(name) for name in names]
    if names and all(name.isdigit() and int(name) < len(classes) for name in names):
        return [int(name) for name in names]
    return None
