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
    """What `class_frechet_distance` found.

    Arguments:
        distances: the Fréchet distance of each class that could be measured, by label.
        mean: of these, each class counting the same.
        left_out: labels of the classes with too few samples on one side.
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

    Unlike the distance of the whole sets it notices labels that are not obeyed. A class counts that has `min_samples` or more
    samples on both sides; the others are left out, by name. The bias with the count per class is larger than with the
    whole set's: compare at equal counts only.

    References: Miyato, Koyama 2018, "cGANs with projection discriminator", arXiv 1802.05637, section 5 ("intra FID").

    Arguments:
        real: features of real samples (n, d).
        real_labels: their classes (n,), whole numbers.
        fake: features of generated samples (m, d).
        fake_labels: the classes that were asked for (m,).
        least: samples of a class needed on each side (2 or more).
    """
    real, fake = check_features_keep_dtype(real, fake, MIN_SAMPLES, "Fréchet distance")
    of_real = _check_labels(real_labels, len(real), "real")
    of_fake = _check_labels(fake_labels, len(fake), "fake")
    distances, left_out = {}, []
    for label in torch.cat([of_real, of_fake]).unique().tolist():
        reals, fakes = real[of_real == label], fake[of_fake == label]
        if min(len(reals), len(fakes)) < max(min_samples, MIN_SAMPLES):
            left_out.append(label)
        else:
            distances[label] = frechet_distance(reals, fakes)
    if not distances:
        raise DataError(
            f"no class has {max(min_samples, MIN_SAMPLES)} real and {max(min_samples, MIN_SAMPLES)} fake samples (classes {left_out[:10]})",
            "one class that can be measured",
            "give more samples, or the labels in the same numbers on both sides",
        )
    mean = sum(distances.values()) / len(distances)
    return ClassFrechetDistances(distances=distances, mean=mean, skipped_classes=tuple(left_out))


def _check_labels(labels: ArrayLike, count: int, name: str) -> Tensor:
    values = as_tensor(labels, f"{name} labels")
    if values.shape != (count,) or not bool((values == values.round()).all()):
        raise DataError(
            f"{name} labels of shape {tuple(values.shape)} for {count} samples",
            "one whole number a sample",
            "",
        )
    return values.long()
