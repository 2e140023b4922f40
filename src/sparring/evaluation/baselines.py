"""Scores to compare a result with: those of real samples in place of generated ones, and of trivial translations
(identity, linear colour map).
"""

import math
from dataclasses import replace
from functools import partial

import numpy as np

from sparring.core.errors import DataError
from sparring.evaluation.compute import METRICS
from sparring.evaluation.feature_bank import FeatureBank
from sparring.evaluation.metric_input import MetricInput, MetricValue
from sparring.evaluation.result import ComparisonRow
from sparring.evaluation.samples import RealSamples
from sparring.features.resize import to_nchw
from sparring.protocols.protocol import EvaluationProtocol

FIT_BLOCK, MAX_FIT_PAIRS = 64, 500
RealBaselines = tuple[ComparisonRow | None, ComparisonRow | None]


def translation_baselines(
    inputs: np.ndarray, order: np.ndarray, channels: int, matrix: np.ndarray | None
) -> dict[str, FeatureBank]:
    """The trivial translations of images, computed block by block when they are read.

    Arguments:
        inputs: uint8 (n, h, w, c). order: indices (m,) of the inputs.
        channels: of the target domain.
        matrix: of the linear colour map (see `fit_colour_map`); None leaves it out.
    """
    banks = {
        "identity": FeatureBank(inputs, None, order, transform=partial(convert_channels, channels=channels))
    }
    if matrix is not None:
        banks["linear"] = FeatureBank(inputs, None, order, transform=partial(apply_colour_map, matrix=matrix))
    return banks


def convert_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Convert images uint8 (n, h, w, c) to another number of channels: grey is the mean of the colours, transparency
    is composited on white, and a new alpha channel is opaque.

    >>> convert_channels(np.array([[[[30, 60, 90]]]], np.uint8), 1).ravel()
    array([60], dtype=uint8)
    """
    if images.shape[3] == channels:
        return images
    x = to_nchw(images).permute(0, 2, 3, 1).numpy()
    if 1 in (x.shape[3], channels):
        x = np.repeat(x.mean(3, keepdims=True), 1 if channels == 1 else 3, 3)
    if channels == 4:
        x = np.concatenate([x, np.full_like(x[..., :1], 255)], 3)
    return x.round().astype(np.uint8)


def fit_colour_map(inputs: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Least-squares linear map of colours, the same for all pixels: W = argmin sum over all pixels of
    |W [a, 1] - b|^2; of several solutions the one of least norm.

    >>> grey = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    >>> fit_colour_map(grey, 2 * grey + 3, np.array([0])).round(6).tolist()
    [[2.0], [3.0]]

    Arguments:
        inputs, targets: uint8 (n, h, w, c) and (n, h, w, k); the i-th ones are a pair.
        rows: indices of pairs; the first 500 are used.

    Shape: float64 (c + 1, k).
    """
    shape = inputs.shape[3] + 1, targets.shape[3]
    gram, moments = np.zeros((shape[0], shape[0])), np.zeros(shape)
    for at in range(0, min(len(rows), MAX_FIT_PAIRS), FIT_BLOCK):
        block = rows[at : min(at + FIT_BLOCK, MAX_FIT_PAIRS)]
        a = _homogeneous_colours(np.asarray(inputs[block]))
        gram += a.T @ a
        moments += a.T @ np.asarray(targets[block]).reshape(-1, shape[1]).astype(np.float64)
    solution: np.ndarray = np.linalg.lstsq(gram, moments, rcond=1e-12)[0]
    return solution


def apply_colour_map(images: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Map the colours of images uint8 (n, h, w, c) by a matrix (c + 1, k): uint8 (n, h, w, k), rounded and clipped."""
    colours = _homogeneous_colours(images) @ matrix
    return colours.round().clip(0, 255).astype(np.uint8).reshape(*images.shape[:3], -1)


def _homogeneous_colours(images: np.ndarray) -> np.ndarray:
    """The colour of each pixel followed by a one: float64 (pixels, c + 1)."""
    colours = images.reshape(-1, images.shape[3]).astype(np.float64)
    return np.concatenate([colours, np.ones((len(colours), 1))], 1)


def measure_real_baselines(
    protocol: EvaluationProtocol,
    job: MetricInput,
    other: RealSamples | None,
    cache: dict[str, RealBaselines],
) -> RealBaselines:
    """The floor and the train-against-test row of a protocol.

    Arguments:
        other: the real samples of the other split; None without any.
        cache: rows that were measured before; the new ones are added.
    """
    extractor, other_identity = job.real.extractor, other.identity if other is not None else ""
    key = f"{protocol} {job.reference.identity} {extractor.digest} {extractor.preprocessing} {job.seed} {other_identity}"
    if key not in cache:
        cache[key] = _measure_floor(protocol, job), _measure_train_against_test(protocol, job, other)
    return cache[key]


def _measure_floor(protocol: EvaluationProtocol, job: MetricInput) -> ComparisonRow | None:
    """The metric between two disjoint parts of the reference, each of the protocol's count or of half of the set.

    For metrics that use all real samples, the real side is the rest of the set.
    """
    size = min(protocol.count, len(job.real.bank) // 2)
    if size < protocol.info.min_samples:
        return None
    description = "other samples of the same set" if size == protocol.count else "two halves of the set"
    first, second = replace(job.real, stop=size), replace(job.real, start=size, stop=2 * size)
    if protocol.info.uses_all_real:
        first, second = replace(job.real, start=size, stop=len(job.real.bank)), first
    return _comparison_row(protocol, replace(job, real=first, fake=second), description)


def _measure_train_against_test(
    protocol: EvaluationProtocol, job: MetricInput, other: RealSamples | None
) -> ComparisonRow | None:
    """The metric with the other split in the place of the generated samples."""
    if other is None or other.samples.shape[1:] != job.reference.samples.shape[1:]:
        return None
    size = min(protocol.count, len(other.bank))
    if size < protocol.info.min_samples or (protocol.info.needs_labels and not other.bank.has_labels):
        return None
    fake = replace(job.real, bank=other.bank, stop=size)
    real = job.real if protocol.info.uses_all_real else replace(job.real, stop=size)
    return _comparison_row(protocol, replace(job, real=real, fake=fake), f"the {other.split} set")


def _comparison_row(protocol: EvaluationProtocol, job: MetricInput, description: str) -> ComparisonRow | None:
    """The metric without its interval; None if it is not defined for these samples."""
    try:
        value = require_finite(protocol, METRICS[protocol.metric](replace(job, generated=None, resamples=0)))
    except DataError:
        return None
    return ComparisonRow(values=value.values, real=len(job.real), fake=len(job.fake), description=description)


def measure_translation_baselines(
    protocol: EvaluationProtocol, job: MetricInput
) -> tuple[ComparisonRow, ...]:
    """The scores of trivial translations of the same inputs; for metrics of the input, also that of the ground truth."""
    origin = job.generated.origin if job.generated is not None else None
    if origin is None or not protocol.info.has_baselines:
        return ()
    banks: dict[str, FeatureBank] = dict(origin.baselines)
    if origin.paired and protocol.info.needs == "input":
        banks["truth"] = job.real.bank
    rows = [
        _comparison_row(protocol, replace(job, fake=replace(job.fake, bank=bank)), name)
        for name, bank in banks.items()
        if len(bank) >= len(job.fake)
    ]
    return tuple(row for row in rows if row is not None)


def require_finite(protocol: EvaluationProtocol, value: MetricValue) -> MetricValue:
    """The value itself. Raises DataError if it holds a number that is not finite."""
    bad = [name for name, number in value.values.items() if not math.isfinite(number)]
    if bad:
        raise DataError(
            f"{protocol}: {', '.join(bad)} is not finite", "a number", "check the samples and the data"
        )
    return value
