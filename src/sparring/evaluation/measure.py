"""Measure one protocol: check that its parts fit together, compute the value, its confidence interval and the
baselines.
"""

import math
import time
from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.evaluation import baselines
from sparring.evaluation.compute import METRICS
from sparring.evaluation.feature_bank import FeatureBank, SampleView
from sparring.evaluation.metric_input import MetricInput, MetricValue
from sparring.evaluation.result import ConfidenceInterval, Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.features.extractor import Extractor
from sparring.protocols.protocol import EvaluationProtocol, format_count

MISSING_REQUIREMENTS = {
    "truth": (
        "A and B are not paired",
        "the truth of each image",
        "name pairs with --against (folders A/ and B/ with equal names), or choose fd, kd, prdc, cycle, drift",
    ),
    "input": (
        "what the images were made from is not known",
        "a translator's run",
        "evaluate the run itself, or choose another metric",
    ),
    "way back": (
        "the translator goes one way",
        "both directions",
        "train cyclegan, which goes both ways, or choose another metric",
    ),
}


def require_measurable(protocol: EvaluationProtocol, known: Set[str] | None) -> None:
    """Raises ConfigError where it can't be measured of translated images of which this is known (see `Origin.known`), or, with
    None, of samples that are no translations."""
    needs = protocol.info.needs
    if known is None and needs:
        raise ConfigError(
            f"{protocol} of samples that are no translations",
            "images made from images",
            "choose fd, kd or prdc; or give two folders with equal names",
        )
    if known is not None and needs and needs not in known:
        got, expected, fix = MISSING_REQUIREMENTS[needs]
        raise ConfigError(f"{protocol}: {got}", expected, fix)
    if known is not None and protocol.info.needs_generator:
        raise ConfigError(
            f"{protocol} of translated images, which come from no latent space",
            "a metric of images",
            "choose psnr, perceptual, fd, kd, cycle or drift",
        )


def check_measurement(
    protocol: EvaluationProtocol, fake: GeneratedSamples, reference: RealSamples, extractor: Extractor
) -> None:
    """Raises where the parts do not go together or there are too few samples."""
    if protocol.metric not in METRICS:
        raise ConfigError(
            f"metric {protocol.metric}", f"one of {', '.join(sorted(METRICS))}", "choose another"
        )
    if extractor.name != protocol.extractor:
        raise ConfigError(f"{protocol} with {extractor.name}", protocol.extractor, "load the right extractor")
    if reference.split != protocol.split:
        raise ConfigError(
            f"{protocol} against the {reference.split} set", f"the {protocol.split} set", "name the right one"
        )
    require_measurable(protocol, fake.origin.known if fake.origin is not None else None)
    ours, theirs = fake.samples.shape[1:], reference.samples.shape[1:]
    if ours != theirs:
        raise DataError(
            f"samples of {format_shape(ours)} against real ones of {format_shape(theirs)}",
            "the same size and channels",
            "prepare both in the same way",
        )
    if not protocol.info.needs_generator:
        require_enough_real_samples(protocol, reference, len(fake.bank))
        there = len(fake.bank) if protocol.info.uses_all_real else min(len(reference.bank), len(fake.bank))
        _require_count(protocol, fake.bank, fake.source or "the generated set", there)


def require_enough_real_samples(
    protocol: EvaluationProtocol, reference: RealSamples, made: int | None = None
) -> None:
    """Raises unless there are as many real samples as the name says, where that is asked for; `made` are generated."""
    if (
        protocol.info.needs_generator
        or protocol.info.uses_all_real
        or protocol.info.needs in ("input", "way back")
    ):
        return
    what = f"the {reference.split} set ({reference.source})" if reference.source else "the reference"
    _require_count(protocol, reference.bank, what, min(len(reference.bank), made or len(reference.bank)))


def _require_count(protocol: EvaluationProtocol, bank: FeatureBank, what: str, both: int) -> None:
    """Raises unless the bank holds as many as the name says; `both` sides have so many."""
    if len(bank) >= protocol.count:
        return
    least, there = protocol.info.min_samples, len(bank)
    fix = f"use {replace(protocol, count=both)}" if both >= least else f"give {least:,} samples or more"
    raise DataError(
        f"{what} has {there:,} sample{'s' if there != 1 else ''}",
        f"{protocol.count:,}, which {protocol.metric}{format_count(protocol.count)} stands for",
        fix,
    )


def format_shape(shape: tuple[int, ...]) -> str:
    """The shape of a saved sample in words.

    >>> format_shape((48, 80, 3))
    '48x80, 3 channels'
    """
    if len(shape) == 1:
        return f"{shape[0]} coordinates"
    return f"{shape[0]}x{shape[1]}, {shape[2]} channel{'s' if shape[2] > 1 else ''}"


NO_RESIZE = "as they are saved, not resized"
Z_95 = 1.96  # standard errors to each side: 95 % of a normal distribution


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """Details of a measurement.

    Arguments:
        seed: of what the metric draws (and, for the record, of the samples).
        resamples: of the bootstrap, where a metric needs one; 0 leaves its interval out.
        watch: told of the progress, asked whether to stop.
        baselines: whether what costs nothing is measured beside translated images.
    """

    seed: int = 0
    resamples: int = 20
    monitor: ProgressMonitor = field(default_factory=ProgressMonitor)
    baselines: bool = True


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
        fake: what is judged; its first `protocol.count` samples are taken.
        reference: the split that the protocol names.
        extractor: the one that the protocol names.
        other: the other split (test for train, train for test) where there is one, for the train-against-test row.

    Raises:
        DataError: too few samples, other sizes, features that are not finite. ConfigError: what does not go together.
    """
    options, began = options or MeasureOptions(), time.monotonic()
    check_measurement(protocol, fake, reference, extractor)
    count = protocol.count
    by_itself = protocol.info.needs_generator
    real = SampleView(
        bank=reference.bank,
        start=0,
        stop=len(reference.bank) if by_itself or protocol.info.uses_all_real else count,
        extractor=extractor,
        monitor=options.monitor,
        role="real",
    )
    made = replace(real, bank=fake.bank, stop=len(fake.bank) if by_itself else count, role="generated")
    job = MetricInput(
        real=real,
        fake=made,
        reference=reference,
        generated=fake,
        count=count,
        seed=options.seed,
        resamples=options.resamples,
        inputs=_input_view(fake, made),
    )
    found = baselines.require_finite(protocol, METRICS[protocol.metric](job))
    alone = by_itself or protocol.info.paired
    rows = (None, None) if alone else baselines.measure_real_baselines(protocol, job, other)
    return Result(
        protocol=protocol,
        values=found.values,
        interval=_interval(found, found.values[protocol.info.headline]),
        real=len(real),
        fake=count if by_itself else len(made),
        digest=extractor.digest,
        dimension=extractor.dimension,
        preprocessing=NO_RESIZE if protocol.info.on_pixels else extractor.preprocessing,
        seed=options.seed,
        floor=rows[0],
        train_against_test=rows[1],
        baselines=baselines.measure_translation_baselines(protocol, job) if options.baselines else (),
        provenance=_provenance(fake, reference),
        seconds=round(time.monotonic() - began, 3),
    )


def _input_view(fake: GeneratedSamples, made: SampleView) -> SampleView | None:
    """The inputs of translated images."""
    given = fake.origin.inputs if fake.origin is not None else None
    return replace(made, bank=given, role="given") if given is not None else None


def _provenance(fake: GeneratedSamples, reference: RealSamples) -> dict[str, Any]:
    """What was compared, for the record."""
    found = {
        "samples": fake.source,
        "samples_fingerprint": fake.fingerprint,
        "images": fake.images,
        "reference": reference.identity,
        "reference_source": reference.source,
    }
    if fake.origin is not None:
        found |= {"direction": fake.origin.direction, "paired": fake.origin.paired, **fake.origin.details}
    return found


def _interval(found: MetricValue, value: float) -> ConfidenceInterval | None:
    if found.error is None or not math.isfinite(found.error):
        return None
    reach = Z_95 * found.error
    low, high = value - reach, value + reach
    if found.share:
        low, high = max(0.0, low), min(1.0, high)
    return ConfidenceInterval(low=low, high=high, kind=found.kind)
