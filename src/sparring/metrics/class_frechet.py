"""Fréchet distance per class (intra-FID)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, as_tensor, check_features_keep_dtype
from sparring.metrics.frechet import frechet_distance

MIN_SAMPLES = 2  # samples of a class on each side


@dataclass(frozen=True, kw_only=True)
class ClassFrechetDistances:
    """Result of `class_frechet_distance`.

    Arguments:
        distances: the Fréchet distance of each class, by label.
        mean: of these, all classes with equal weight.
        skipped_classes: labels of the classes with too few real or generated samples.
    """

    distances: dict[int, float]
    mean: float
    skipped_classes: tuple[int, ...]


def class_frechet_distance(
    real: ArrayLike,
    real_labels: ArrayLike,
    fake: ArrayLike,
    fake_labels: ArrayLike,
    min_samples: int = MIN_SAMPLES,
) -> ClassFrechetDistances:
    """Fréchet distance between the real and the generated samples of each class, and its mean over the classes.

        mean over c of FD({x: y(x) = c}, {g: y(g) = c})

    Unlike the distance of the whole sets it is sensitive to samples of the wrong class. Classes with fewer than
    `min_samples` real or generated samples are skipped. The bias of few samples is larger than for the whole set:
    compare at equal counts only.

    >>> x, y = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 2
    >>> round(class_frechet_distance(x, y, x + 1, y).mean, 4)
    3.0

    References: Miyato, Koyama 2018, "cGANs with projection discriminator", arXiv 1802.05637, section 5 ("intra FID").

    Arguments:
        real: features of real samples (n, d).
        real_labels: their classes (n,), whole numbers.
        fake: features of generated samples (m, d).
        fake_labels: the classes that they were generated for (m,).
        min_samples: of a class, real and generated (2 or more).

    Raises:
        DataError: features or labels that do not fit, or no class with enough samples.
    """
    real, fake = check_features_keep_dtype(real, fake, MIN_SAMPLES, "Fréchet distance")
    real_classes = _check_labels(real_labels, len(real), "real")
    fake_classes = _check_labels(fake_labels, len(fake), "fake")
    distances, skipped = {}, []
    for label in torch.cat([real_classes, fake_classes]).unique().tolist():
        reals, fakes = real[real_classes == label], fake[fake_classes == label]
        if min(len(reals), len(fakes)) < max(min_samples, MIN_SAMPLES):
            skipped.append(label)
        else:
            distances[label] = frechet_distance(reals, fakes)
    if not distances:
        least = max(min_samples, MIN_SAMPLES)
        raise DataError(
            f"no class has {least} real and {least} generated samples (classes {skipped[:10]})",
            "at least one class with enough samples",
            "give more samples, or the labels in the same numbers on both sides",
        )
    mean = sum(distances.values()) / len(distances)
    return ClassFrechetDistances(distances=distances, mean=mean, skipped_classes=tuple(skipped))


def _check_labels(labels: ArrayLike, count: int, name: str) -> Tensor:
    values = as_tensor(labels, f"{name} labels")
    if values.shape != (count,) or not bool((values == values.round()).all()):
        raise DataError(
            f"{name} labels of shape {tuple(values.shape)} for {count} samples",
            "one whole number per sample",
            "pass the class index of each sample",
        )
    return values.long()
