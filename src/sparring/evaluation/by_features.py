"""The metrics of features, as the evaluation asks for them: values, and how sure they are."""

import statistics

import numpy as np
import torch
from torch import Tensor

from sparring import keyed, metrics
from sparring.errors import DataError
from sparring.evaluation.job import Job, Measured, share_error

NEIGHBOURS = 5
SUBSETS, SUBSET = 100, 1000
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
    found = metrics.frechet_distance_infinite(job.real.features, job.fake.features, seed=job.seed)
    return Measured(
        {"fdinf": found.distance, "slope": found.slope},
        found.standard_error,
        "standard error of the line's intercept",
    )


def kd(job: Job) -> Measured:
    """Kernel distance over subsets."""
    size = min(SUBSET, len(job.real), len(job.fake))
    mean, error = metrics.kernel_distance(
        job.real.features, job.fake.features, subsets=SUBSETS, subset_size=size, seed=job.seed
    )
    return Measured(
        {"kd": mean, "subset": float(size)}, error, f"standard error over {SUBSETS} subsets of {size:,}"
    )


def inception(job: Job) -> Measured:
    """Inception score of the extractor's own classes."""
    mean, spread = metrics.inception_score(job.fake.logits, seed=job.seed)
    return Measured({"is": mean, "spread": spread}, spread, "spread over 10 parts")


def prdc(job: Job) -> Measured:
    """Precision, recall, density, coverage."""
    found = metrics.precision_recall_density_coverage(
        job.real.features, job.fake.features, k=min(NEIGHBOURS, len(job.real) - 1, len(job.fake) - 1)
    )
    return Measured(dict(found), share_error(found["coverage"], len(job.real)), "binomial")


def auth(job: Job) -> Measured:
    """Share of samples that are no near copies."""
    share = metrics.authenticity(job.real.features, job.fake.features)
    return Measured({"authenticity": share}, share_error(share, len(job.fake)), "binomial")


def pcfd(job: Job) -> Measured:
    """Fréchet distance of each class, and their mean and worst."""
    real, fake = _by_class(job.real.features, job.real.labels), _by_class(job.fake.features, job.fake.labels)
    names, found = job.reference.classes, {}
    for number in sorted(real):
        title = names[number] if number < len(names) else str(number)
        fewest = min(len(real[number]), len(fake.get(number, ())))
        if fewest < 2:
            raise DataError(
                f"{fewest} samples of class {title}",
                "at least 2 of each class on both sides",
                "raise the count, or choose data with fewer classes (NAME:class,class)",
            )
        job.fake.watch.poll()
        found[title] = metrics.frechet_distance(real[number], fake[number])
    each = list(found.values())
    error = statistics.stdev(each) / len(each) ** 0.5 if len(each) > 1 else None
    values = {"mean": statistics.fmean(each), "worst": max(each)}
    values |= {f"class {name}": value for name, value in found.items()}
    return Measured(values, error, "spread over the classes")


def cas(job: Job) -> Measured:
    """How well a classifier that learned from the generated samples does on the real ones."""
    found = metrics.classification_accuracy_score(
        job.real.features,
        torch.from_numpy(np.asarray(job.real.labels)),
        job.fake.features,
        torch.from_numpy(np.asarray(job.fake.labels)),
    )
    return Measured({"accuracy": found.accuracy}, found.standard_error, "binomial")


def swd(job: Job) -> Measured:
    """Sliced Wasserstein distance."""
    square, error = metrics.sliced_wasserstein_distance(job.real.features, job.fake.features, seed=job.seed)
    root = max(square, 0.0) ** 0.5
    return Measured(
        {"swd": root, "squared": square},
        error / (2 * root) if root > 0 else 0.0,
        "standard error over 512 random lines",
    )


def _by_class(features: Tensor, labels: np.ndarray) -> dict[int, Tensor]:
    numbers = torch.from_numpy(np.asarray(labels))
    return {int(number): features[numbers == number] for number in numbers.unique()}


def _resampled(features: Tensor, seed: int, number: int) -> Tensor:
    """As many of the rows, drawn with replacement."""
    random = keyed.generator(seed, "bootstrap", number)
    return features[torch.randint(len(features), (len(features),), generator=random)]
