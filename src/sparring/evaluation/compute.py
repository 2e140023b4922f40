"""The table of metric functions, and those that are computed from features.

A new metric is a formula in `metrics/`, a row in `protocols/catalogue.py` and a row in `METRICS`.
"""

import statistics
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sparring import metrics
from sparring.core import rng
from sparring.core.errors import DataError
from sparring.evaluation import compute_samples
from sparring.evaluation.metric_input import MetricInput, MetricValue, proportion_standard_error
from sparring.metrics.authenticity import authenticity
from sparring.metrics.class_frechet import class_frechet_distance
from sparring.metrics.frechet_infinity import frechet_infinity
from sparring.metrics.inception_score import inception_score
from sparring.metrics.kernel_mmd import kernel_distance, kernel_distance_leaving_out

NUM_NEIGHBOURS = 5
KD_SUBSETS, KD_SUBSET_SIZE, INCEPTION_SPLITS = 100, 1000, 10
MANY_FEATURES = 512  # above, a Fréchet distance is slow, and fewer bootstrap resamples are drawn


def fd(job: MetricInput) -> MetricValue:
    """Fréchet distance; standard error by bootstrap of the generated samples."""
    real, fake = metrics.Moments.from_features(job.real.features), job.fake.features
    value = metrics.frechet_from_moments(real, metrics.Moments.from_features(fake))
    resamples = job.resamples if fake.shape[1] <= MANY_FEATURES else job.resamples // 3
    values = []
    for index in range(resamples):
        job.fake.monitor.poll()
        moments = metrics.Moments.from_features(_bootstrap_resample(fake, job.seed, index))
        values.append(metrics.frechet_from_moments(real, moments))
    error = statistics.stdev(values) if len(values) > 1 else None
    return MetricValue(
        {"fd": value},
        error,
        f"bootstrap of the generated samples, {resamples} resamples",
        leaving_out=_leave_out(job, _frechet) if fake.shape[1] <= MANY_FEATURES else (),
    )


def fdinf(job: MetricInput) -> MetricValue:
    """Fréchet distance extrapolated to an infinite number of samples."""
    value, error = frechet_infinity(job.real.features, job.fake.features, seed=job.seed)
    return MetricValue({"fdinf": value}, error, "standard error of the extrapolated value")


def kd(job: MetricInput) -> MetricValue:
    """Kernel distance (squared MMD), averaged over subsets.

    Subsets of s out of n samples, drawn without replacement, vary by (n - s) / s times the variance of the complete
    set's value.
    """
    count = min(len(job.real), len(job.fake))
    size = min(KD_SUBSET_SIZE, count // 2)
    mean, error = kernel_distance(job.real.features, job.fake.features, KD_SUBSETS, size, job.seed)
    full_error = error * KD_SUBSETS**0.5 * (size / (count - size)) ** 0.5
    slices = job.block_slices
    leaving_out = kernel_distance_leaving_out(job.real.features, job.fake.features, slices) if slices else ()
    return MetricValue(
        {"kd": mean},
        full_error,
        f"spread over {KD_SUBSETS} subsets of {size:,}",
        leaving_out=tuple(leaving_out),
    )


def inception_score_metric(job: MetricInput) -> MetricValue:
    """Inception score with the classes of the extractor."""
    mean, spread = inception_score(job.fake.logits, INCEPTION_SPLITS)
    return MetricValue({"is": mean}, spread / INCEPTION_SPLITS**0.5, f"spread over {INCEPTION_SPLITS} parts")


def prdc(job: MetricInput) -> MetricValue:
    """Precision, recall, density, coverage."""
    k = min(NUM_NEIGHBOURS, len(job.real) - 1, len(job.fake) - 1)
    values = dict(metrics.precision_recall_density_coverage(job.real.features, job.fake.features, k=k))
    error = proportion_standard_error(values["coverage"], len(job.real))

    def coverage(real: Tensor, fake: Tensor) -> float:
        return metrics.precision_recall_density_coverage(real, fake, k=k)["coverage"]

    return MetricValue(values, error, "binomial", is_proportion=True, leaving_out=_leave_out(job, coverage))


def auth(job: MetricInput) -> MetricValue:
    """Fraction of samples that are not near copies of a real one."""
    fraction = authenticity(job.real.features, job.fake.features)
    error = proportion_standard_error(fraction, len(job.fake))
    return MetricValue({"authenticity": fraction}, error, "binomial", is_proportion=True)


def pcfd(job: MetricInput) -> MetricValue:
    """Fréchet distance of each class, their mean and their maximum."""
    real, fake = (torch.from_numpy(np.asarray(side.labels)) for side in (job.real, job.fake))
    result = class_frechet_distance(job.real.features, real, job.fake.features, fake)
    names = job.reference.classes or tuple(map(str, range(1 + max(result.distances))))
    if result.skipped_classes:
        raise DataError(
            f"fewer than 2 samples of {', '.join(names[index] for index in result.skipped_classes[:5])}",
            "at least 2 of each class on both sides",
            "raise the count, or choose data with fewer classes (NAME:class,class)",
        )
    distances = list(result.distances.values())
    error = statistics.stdev(distances) / len(distances) ** 0.5 if len(distances) > 1 else None
    values = {"mean": result.mean, "worst": max(distances)}
    values |= {f"class {names[index]}": value for index, value in result.distances.items()}
    return MetricValue(values, error, "spread over the classes")


def cas(job: MetricInput) -> MetricValue:
    """Accuracy on the real samples of a classifier trained on the generated ones."""
    real, fake = (torch.from_numpy(np.asarray(side.labels)) for side in (job.real, job.fake))
    accuracy = metrics.classification_accuracy_score(
        job.real.features, real, job.fake.features, fake
    ).accuracy
    error = proportion_standard_error(accuracy, len(job.real))
    return MetricValue({"accuracy": accuracy}, error, "binomial", is_proportion=True)


def swd(job: MetricInput) -> MetricValue:
    """Sliced Wasserstein distance; the error of the root is that of the square divided by twice the root."""
    square, error = metrics.sliced_wasserstein_distance(job.real.features, job.fake.features, seed=job.seed)
    root = max(square, 0.0) ** 0.5
    return MetricValue(
        {"swd": root, "squared": square},
        error / (2 * root) if root > 0 else 0.0,
        "standard error over 512 random directions",
        leaving_out=_leave_out(job, lambda real, fake: _root_swd(real, fake, job.seed)),
    )


def _root_swd(real: Tensor, fake: Tensor, seed: int) -> float:
    return max(metrics.sliced_wasserstein_distance(real, fake, seed=seed)[0], 0.0) ** 0.5


def _frechet(real: Tensor, fake: Tensor) -> float:
    return metrics.frechet_from_moments(
        metrics.Moments.from_features(real), metrics.Moments.from_features(fake)
    )


def _leave_out(job: MetricInput, formula: Callable[[Tensor, Tensor], float]) -> tuple[float, ...]:
    """A formula of the features without each of the blocks."""
    real, fake = job.real.features, job.fake.features
    values = []
    for block in job.block_slices:
        job.fake.monitor.poll()
        rows = torch.cat([torch.arange(block.start), torch.arange(block.stop, len(real))])
        values.append(formula(real[rows], fake[rows]))
    return tuple(values)


def _bootstrap_resample(features: Tensor, seed: int, index: int) -> Tensor:
    """Rows (n, d) drawn with replacement from rows (n, d)."""
    random = rng.make_generator(seed, "bootstrap", index)
    return features[torch.randint(len(features), (len(features),), generator=random)]


METRICS: dict[str, Callable[[MetricInput], MetricValue]] = {
    "fd": fd,
    "fdinf": fdinf,
    "kd": kd,
    "is": inception_score_metric,
    "prdc": prdc,
    "auth": auth,
    "pcfd": pcfd,
    "cas": cas,
    "swd": swd,
    "msssim": compute_samples.msssim,
    "ppl": compute_samples.ppl,
    "modes": compute_samples.modes,
    "parzen": compute_samples.parzen,
    "nll": compute_samples.nll,
    "psnr": compute_samples.psnr,
    "ssim": compute_samples.ssim,
    "mae": compute_samples.mae,
    "perceptual": compute_samples.perceptual,
    "cycle": compute_samples.cycle,
    "drift": compute_samples.drift,
}
