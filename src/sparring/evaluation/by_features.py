"""The metrics of features, as the evaluation asks for them: values, and how sure they are."""

import statistics

import numpy as np
import torch
from torch import Tensor

from sparring import keyed, metrics
from sparring.errors import DataError
from sparring.evaluation.job import Job, Measured, share_error
from sparring.metrics.authenticity import authenticity
from sparring.metrics.classes import class_frechet_distance
from sparring.metrics.inception import inception_score
from sparring.metrics.infinite import frechet_infinity
from sparring.metrics.kernel import kernel_distance

NEIGHBOURS = 5
SUBSETS, SUBSET, SPLITS = 100, 1000, 10
WIDE = 512  # features from which on a Fréchet distance is slow, and is resampled less often


def fd(job: Job) -> Measured:
    """Fréchet distance; its error from a bootstrap of the generated samples."""
    real, fake = metrics.Moments.of(job.real.features), job.fake.features
    value = metrics.frechet_of(real, metrics.Moments.of(fake))
    again = job.resamples if fake.shape[1] <= WIDE else job.resamples // 3
    drawn = []
    for number in range(again):
        job.fake.watch.poll()
        drawn.append(metrics.frechet_of(real, metrics.Moments.of(_resampled(fake, job.seed, number))))
    error = statistics.stdev(drawn) if len(drawn) > 1 else None
    return Measured({"fd": value}, error, f"bootstrap of the generated samples, {again} times")


def fdinf(job: Job) -> Measured:
    """Fréchet distance extrapolated to endless samples."""
    value, error = frechet_infinity(job.real.features, job.fake.features, seed=job.seed)
    return Measured({"fdinf": value}, error, "standard error of the line's end")


def kd(job: Job) -> Measured:
    """Kernel distance over subsets.

    Subsets of s out of n samples, drawn without replacement, vary by (n - s) / s times as much as the whole set's value.
    """
    count = min(len(job.real), len(job.fake))
    size = min(SUBSET, count // 2)
    mean, error = kernel_distance(job.real.features, job.fake.features, SUBSETS, size, job.seed)
    whole = error * SUBSETS**0.5 * (size / (count - size)) ** 0.5
    return Measured({"kd": mean}, whole, f"spread over {SUBSETS} subsets of {size:,}")


def inception(job: Job) -> Measured:
    """Inception score of the extractor's own classes."""
    mean, spread = inception_score(job.fake.logits, SPLITS)
    return Measured({"is": mean}, spread / SPLITS**0.5, f"spread over {SPLITS} parts")


def prdc(job: Job) -> Measured:
    """Precision, recall, density, coverage."""
    found = metrics.precision_recall_density_coverage(
        job.real.features, job.fake.features, k=min(NEIGHBOURS, len(job.real) - 1, len(job.fake) - 1)
    )
    return Measured(dict(found), share_error(found["coverage"], len(job.real)), "binomial", share=True)


def auth(job: Job) -> Measured:
    """Share of samples that are no near copies."""
    share = authenticity(job.real.features, job.fake.features)
    return Measured({"authenticity": share}, share_error(share, len(job.fake)), "binomial", share=True)


def pcfd(job: Job) -> Measured:
    """Fréchet distance of each class, and their mean and worst."""
    real, fake = (torch.from_numpy(np.asarray(side.labels)) for side in (job.real, job.fake))
    found = class_frechet_distance(job.real.features, real, job.fake.features, fake)
    names = job.reference.classes or tuple(map(str, range(1 + max(found.distances))))
    if found.left_out:
        raise DataError(
            f"fewer than 2 samples of {', '.join(names[number] for number in found.left_out[:5])}",
            "at least 2 of each class on both sides",
            "raise the count, or choose data with fewer classes (NAME:class,class)",
        )
    each = list(found.distances.values())
    error = statistics.stdev(each) / len(each) ** 0.5 if len(each) > 1 else None
    values = {"mean": found.mean, "worst": max(each)}
    values |= {f"class {names[number]}": value for number, value in found.distances.items()}
    return Measured(values, error, "spread over the classes")


def cas(job: Job) -> Measured:
    """How well a classifier that learned from the generated samples does on the real ones."""
    found = metrics.classification_accuracy_score(
        job.real.features,
        torch.from_numpy(np.asarray(job.real.labels)),
        job.fake.features,
        torch.from_numpy(np.asarray(job.fake.labels)),
    )
    error = share_error(found.accuracy, len(job.real))
    return Measured({"accuracy": found.accuracy}, error, "binomial", share=True)


def swd(job: Job) -> Measured:
    """Sliced Wasserstein distance."""
    square, error = metrics.sliced_wasserstein_distance(job.real.features, job.fake.features, seed=job.seed)
    root = max(square, 0.0) ** 0.5
    return Measured(
        {"swd": root, "squared": square},
        error / (2 * root) if root > 0 else 0.0,
        "standard error over 512 random lines",
    )


def _resampled(features: Tensor, seed: int, number: int) -> Tensor:
    """As many of the rows, drawn with replacement."""
    random = keyed.generator(seed, "bootstrap", number)
    return features[torch.randint(len(features), (len(features),), generator=random)]
