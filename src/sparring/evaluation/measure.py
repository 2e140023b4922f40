"""Measure one protocol: check that its parts fit together, compute the value, its confidence interval and the
scores to compare it with.
"""

import math
import statistics
import time
from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.evaluation import baselines
from sparring.evaluation.baselines import RealBaselines
from sparring.evaluation.compute import METRICS
from sparring.evaluation.feature_bank import FeatureBank, SampleView
from sparring.evaluation.metric_input import MetricInput, MetricValue
from sparring.evaluation.result import ConfidenceInterval, Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.features.extractor import Extractor
from sparring.protocols.protocol import EvaluationProtocol, format_count

NO_RESIZE = "as they are saved, not resized"
Z_95 = 1.96  # standard errors to each side: 95 % of a normal distribution
T_95 = 2.262  # the same of Student's t with 9 degrees of freedom: the error is estimated from 10 blocks
MISSING_REQUIREMENTS = {
    "target": (
        "A and B are not paired",
        "the ground truth of each image",
        "name pairs with --against (folders A/ and B/ with equal names), or choose fd, kd, prdc, cycle, drift",
    ),
    "input": (
        "the inputs of the images are not known",
        "a translator's run",
        "evaluate the run itself, or choose another metric",
    ),
    "reverse": (
        "the translator has only one direction",
        "both directions",
        "train cyclegan, which has both, or choose another metric",
    ),
}


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """Details of a measurement.

    Arguments:
        seed: of the metric's random draws (and, for the record, of the samples).
        resamples: of the bootstrap, for metrics that need one; 0 omits the interval.
        monitor: receives the progress, and is polled for interruption.
        baselines: whether trivial translations are measured, too.
        real_baselines: scores of real samples; pass one dictionary to several calls to measure each only once.
        blocks: of samples, for an interval by the jackknife and the comparison with other generators on the same samples;
            0 leaves the interval to the metric.
    """

    seed: int = 0
    resamples: int = 20
    monitor: ProgressMonitor = field(default_factory=ProgressMonitor)
    baselines: bool = True
    real_baselines: dict[str, RealBaselines] = field(default_factory=dict)
    blocks: int = 0


def require_measurable(protocol: EvaluationProtocol, available: Set[str] | None) -> None:
    """Raises ConfigError if a metric needs something that is not available.

    Arguments:
        available: see `TranslationSource.available`; None for samples that are not translated images.
    """
    needs = protocol.info.needs
    if available is None and needs:
        raise ConfigError(
            f"{protocol} of samples that are no translations",
            "translated images",
            "choose fd, kd or prdc; or give two folders with equal file names",
        )
    if available is not None and needs and needs not in available:
        got, expected, fix = MISSING_REQUIREMENTS[needs]
        raise ConfigError(f"{protocol}: {got}", expected, fix)
    if available is not None and protocol.info.needs_generator:
        raise ConfigError(
            f"{protocol} of translated images, which have no latent space",
            "a metric of images",
            "choose psnr, perceptual, fd, kd, cycle or drift",
        )


def check_measurement(
    protocol: EvaluationProtocol, fake: GeneratedSamples, reference: RealSamples, extractor: Extractor
) -> None:
    """Raises ConfigError or DataError if the parts do not fit together or there are too few samples."""
    if extractor.name != protocol.extractor:
        raise ConfigError(f"{protocol} with {extractor.name}", protocol.extractor, "load the right extractor")
    if reference.split != protocol.split:
        raise ConfigError(
            f"{protocol} against the {reference.split} set", f"the {protocol.split} set", "name the right one"
        )
    require_measurable(protocol, fake.origin.available if fake.origin is not None else None)
    shape, real_shape = fake.samples.shape[1:], reference.samples.shape[1:]
    if shape != real_shape:
        raise DataError(
            f"samples of {format_shape(shape)} against real ones of {format_shape(real_shape)}",
            "the same size and channels",
            "prepare both in the same way",
        )
    if not protocol.info.needs_generator:
        require_enough_real_samples(protocol, reference, len(fake.bank))
        limit = len(fake.bank) if protocol.info.uses_all_real else min(len(reference.bank), len(fake.bank))
        _require_count(protocol, fake.bank, fake.source or "the generated set", limit)


def require_enough_real_samples(
    protocol: EvaluationProtocol, reference: RealSamples, num_generated: int | None = None
) -> None:
    """Raises DataError if the protocol needs more real samples than there are.

    Arguments:
        num_generated: for the count that the error suggests; None if more can be generated.
    """
    info = protocol.info
    if info.needs_generator or info.uses_all_real or info.needs in ("input", "reverse"):
        return
    name = f"the {reference.split} set ({reference.source})" if reference.source else "the reference"
    num_real = len(reference.bank)
    _require_count(protocol, reference.bank, name, min(num_real, num_generated or num_real))


def _require_count(protocol: EvaluationProtocol, bank: FeatureBank, name: str, limit: int) -> None:
    """Raises DataError if a bank holds fewer samples than the protocol's count; both sides have `limit` samples."""
    if len(bank) >= protocol.count:
        return
    min_samples, size = protocol.info.min_samples, len(bank)
    if limit >= min_samples:
        fix = f"use {replace(protocol, count=limit)}"
    else:
        fix = f"give {min_samples:,} samples or more"
    raise DataError(
        f"{name} has {size:,} sample{'s' if size != 1 else ''}",
        f"{protocol.count:,}, as {protocol.metric}{format_count(protocol.count)} says",
        fix,
    )


def format_shape(shape: tuple[int, ...]) -> str:
    """The shape of a sample in words.

    >>> format_shape((48, 80, 3))
    '48x80, 3 channels'
    """
    if len(shape) == 1:
        return f"{shape[0]} coordinates"
    return f"{shape[0]}x{shape[1]}, {shape[2]} channel{'s' if shape[2] > 1 else ''}"


def measure(
    protocol: EvaluationProtocol,
    fake: GeneratedSamples,
    reference: RealSamples,
    extractor: Extractor,
    other: RealSamples | None = None,
    options: MeasureOptions | None = None,
) -> Result:
    """Measure one protocol.

    Arguments:
        fake: the generated samples, of which the first `protocol.count` are taken.
        reference: the real samples of the protocol's split.
        extractor: the protocol's.
        other: the real samples of the other split, for the train-against-test row; None omits it.

    Raises:
        DataError: too few samples, different sizes, or features that are not finite. ConfigError: parts that are not
            those of the protocol.
    """
    options, start_time = options or MeasureOptions(), time.monotonic()
    check_measurement(protocol, fake, reference, extractor)
    info, count = protocol.info, protocol.count
    real = SampleView(
        bank=reference.bank,
        start=0,
        stop=len(reference.bank) if info.needs_generator or info.uses_all_real else count,
        extractor=extractor,
        monitor=options.monitor,
        role="real",
    )
    num_fake = len(fake.bank) if info.needs_generator else count
    generated = replace(real, bank=fake.bank, stop=num_fake, role="generated")
    inputs = fake.origin.inputs if fake.origin is not None else None
    job = MetricInput(
        real=real,
        fake=generated,
        reference=reference,
        generated=fake,
        count=count,
        seed=options.seed,
        resamples=options.resamples,
        inputs=replace(generated, bank=inputs, role="input") if inputs is not None else None,
        blocks=options.blocks,
    )
    value = baselines.require_finite(protocol, METRICS[protocol.metric](job))
    floor, train_against_test = None, None
    if not info.needs_generator and not info.paired:
        floor, train_against_test = baselines.measure_real_baselines(
            protocol, job, other, options.real_baselines
        )
    return Result(
        protocol=protocol,
        values=value.values,
        interval=_confidence_interval(value, value.values[info.headline]),
        real=len(real),
        fake=count,
        digest=extractor.digest,
        dimension=extractor.dimension,
        preprocessing=NO_RESIZE if info.on_pixels else extractor.preprocessing,
        seed=options.seed,
        floor=floor,
        train_against_test=train_against_test,
        baselines=baselines.measure_translation_baselines(protocol, job) if options.baselines else (),
        provenance=_provenance(fake, reference),
        seconds=round(time.monotonic() - start_time, 3),
        blocks=_pseudo_values(value, value.values[info.headline]),
    )


def _pseudo_values(value: MetricValue, headline: float) -> tuple[float, ...]:
    """The jackknife's pseudo-values, nearly independent estimates, one a block: v_i = v + (B - 1) (mean_j v_(j) - v_(i)),
    where v_(i) is the value without block i. Their mean is the headline v itself, without the jackknife's correction of
    bias, as the bias is the same for all generators measured with as many samples.

    References: Efron & Tibshirani 1993, "An introduction to the bootstrap", section 11.5 (here for blocks).
    """
    count = len(value.leaving_out)
    centre = statistics.fmean(value.leaving_out) if count else 0.0
    return tuple(headline + (count - 1) * (centre - without) for without in value.leaving_out)


def _provenance(fake: GeneratedSamples, reference: RealSamples) -> dict[str, Any]:
    """Names and fingerprints of both sides, for the record."""
    provenance = {
        "samples": fake.source,
        "samples_fingerprint": fake.fingerprint,
        "images": fake.images,
        "reference": reference.identity,
        "reference_source": reference.source,
    }
    if fake.origin is not None:
        provenance |= {
            "direction": fake.origin.direction,
            "paired": fake.origin.paired,
            **fake.origin.details,
        }
    return provenance


def _confidence_interval(value: MetricValue, headline: float) -> ConfidenceInterval | None:
    """The 95 % interval of the headline; None without a standard error."""
    blocks = _pseudo_values(value, headline)
    if blocks:
        half_width = T_95 * statistics.stdev(blocks) / len(blocks) ** 0.5
        method = f"jackknife over {len(blocks)} blocks of samples"
        return ConfidenceInterval(low=headline - half_width, high=headline + half_width, method=method)
    if value.error is None or not math.isfinite(value.error):
        return None
    half_width = Z_95 * value.error
    low, high = headline - half_width, headline + half_width
    if value.is_proportion:
        low, high = max(0.0, low), min(1.0, high)
    return ConfidenceInterval(low=low, high=high, method=value.method)
