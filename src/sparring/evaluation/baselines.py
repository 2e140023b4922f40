"""Baselines: the score of real samples in place of generated ones, and of trivial translations (identity,
linear colour map).
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


def translation_baselines(
    inputs: np.ndarray, order: np.ndarray, channels: int, matrix: np.ndarray | None
) -> dict[str, FeatureBank]:
    """Both baselines, made whenever they are read.

    Arguments:
        given: inputs uint8 (n, h, w, c). order: which of them.
        channels: of the other domain.
        matrix: of the linear map; None leaves it out.
    """
    found = {
        "identity": FeatureBank(inputs, None, order, change=partial(convert_channels, channels=channels))
    }
    if matrix is not None:
        found["linear"] = FeatureBank(inputs, None, order, change=partial(apply_colour_map, matrix=matrix))
    return found


def convert_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Images uint8 (n, h, w, c) with other channels: grey is the mean of the colours, transparent ones lie on white, and where
    transparency is asked for nothing is transparent.

    >>> convert_channels(np.array([[[[30, 60, 90]]]], np.uint8), 1).ravel()
    array([60], dtype=uint8)
    """
    if pictures.shape[3] == channels:
        return pictures
    x = to_nchw(pictures).permute(0, 2, 3, 1).numpy()
    colours = (
        np.repeat(x.mean(3, keepdims=True), 1 if channels == 1 else 3, 3)
        if 1 in (x.shape[3], channels)
        else x
    )
    if channels == 4:
        colours = np.concatenate([colours, np.full_like(colours[..., :1], 255)], 3)
    return colours.round().astype(np.uint8)


def fit_colour_map(inputs: np.ndarray, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The linear map of colours that is best on these pairs: W = argmin sum over all pixels of |W [a, 1] - b|^2, the same at each
    place; of several best ones the smallest.

    >>> grey = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    >>> fit_colour_map(grey, 2 * grey + 3, np.array([0])).round(6).tolist()
    [[2.0], [3.0]]

    Arguments:
        given, wanted: uint8 (n, h, w, c) and (n, h, w, k), pairs by their numbers.
        rows: which of them; the first 500 are taken.

    Shape: float64 (c + 1, k).
    """
    sides = inputs.shape[3] + 1, wanted.shape[3]
    gram, moments = np.zeros((sides[0], sides[0])), np.zeros(sides)
    for at in range(0, min(len(rows), MAX_FIT_PAIRS), FIT_BLOCK):
        chosen = rows[at : min(at + FIT_BLOCK, MAX_FIT_PAIRS)]
        a = _homogeneous_colours(np.asarray(inputs[chosen]))
        gram += a.T @ a
        moments += a.T @ np.asarray(wanted[chosen]).reshape(-1, sides[1]).astype(np.float64)
    solution: np.ndarray = np.linalg.lstsq(gram, moments, rcond=1e-12)[0]
    return solution


def apply_colour_map(pictures: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The linear map of images uint8 (n, h, w, c), as they would be saved: uint8 (n, h, w, k)."""
    made = _homogeneous_colours(pictures) @ matrix
    return made.round().clip(0, 255).astype(np.uint8).reshape(*pictures.shape[:3], -1)


def _homogeneous_colours(pictures: np.ndarray) -> np.ndarray:
    """Colours and a one (pixels, c + 1)."""
    colours = pictures.reshape(-1, pictures.shape[3]).astype(np.float64)
    return np.concatenate([colours, np.ones((len(colours), 1))], 1)


METRICS_WITHOUT_BASELINE = ("cycle", "ppl", "nll")


def measure_real_baselines(
    protocol: EvaluationProtocol, job: MetricInput, other: RealSamples | None
) -> tuple[ComparisonRow | None, ComparisonRow | None]:
    """What real samples get; each is measured once for a reference."""
    known, extractor = job.reference.rows, job.real.extractor
    beside = other.identity if other is not None else ""
    name = f"{protocol} {extractor.digest} {extractor.preprocessing} {job.seed} {beside}"
    if name not in known:
        known[name] = _measure_floor(protocol, job), _measure_train_against_test(protocol, job, other)
    found: tuple[ComparisonRow | None, ComparisonRow | None] = known[name]
    return found


def _measure_floor(protocol: EvaluationProtocol, job: MetricInput) -> ComparisonRow | None:
    """Two parts of the reference that have no sample in common, each as large as the name says, or half of the set.

    Where the whole set is looked at, the real part is all that is left.
    """
    size = min(protocol.count, len(job.real.bank) // 2)
    if size < protocol.info.min_samples:
        return None
    what = "other samples of the same set" if size == protocol.count else "two halves of the set"
    first, second = replace(job.real, stop=size), replace(job.real, start=size, stop=2 * size)
    if protocol.info.uses_all_real:
        first, second = replace(job.real, start=size, stop=len(job.real.bank)), first
    return _comparison_row(protocol, replace(job, real=first, fake=second), what)


def _measure_train_against_test(
    protocol: EvaluationProtocol, job: MetricInput, other: RealSamples | None
) -> ComparisonRow | None:
    if other is None or other.samples.shape[1:] != job.reference.samples.shape[1:]:
        return None
    size = min(protocol.count, len(other.bank))
    if size < protocol.info.min_samples or (protocol.info.needs_labels and not other.bank.labelled):
        return None
    fake = replace(job.real, bank=other.bank, stop=size)
    real = job.real if protocol.info.uses_all_real else replace(job.real, stop=size)
    return _comparison_row(protocol, replace(job, real=real, fake=fake), f"the {other.split} set")


def _comparison_row(protocol: EvaluationProtocol, job: MetricInput, description: str) -> ComparisonRow | None:
    """The metric on real samples alone; None where it can't be had for so few."""
    try:
        found = require_finite(protocol, METRICS[protocol.metric](replace(job, generated=None, resamples=0)))
    except DataError:
        return None
    return ComparisonRow(values=found.values, real=len(job.real), fake=len(job.fake), description=description)


def measure_translation_baselines(
    protocol: EvaluationProtocol, job: MetricInput
) -> tuple[ComparisonRow, ...]:
    """What is got by images that cost nothing, made from the same inputs; and by the truth, where it is not measured against."""
    origin = job.generated.origin if job.generated is not None else None
    if origin is None or protocol.metric in METRICS_WITHOUT_BASELINE:
        return ()
    others: dict[str, FeatureBank] = dict(origin.baselines)
    if origin.paired and protocol.info.needs == "input":
        others["truth"] = job.real.bank
    rows = [
        _comparison_row(protocol, replace(job, fake=replace(job.fake, bank=bank)), name)
        for name, bank in others.items()
        if len(bank) >= len(job.fake)
    ]
    return tuple(row for row in rows if row is not None)


def require_finite(protocol: EvaluationProtocol, found: MetricValue) -> MetricValue:
    bad = [name for name, value in found.values.items() if not math.isfinite(value)]
    if bad:
        raise DataError(
            f"{protocol}: {', '.join(bad)} is not finite", "a number", "look at the samples and at the data"
        )
    return found
