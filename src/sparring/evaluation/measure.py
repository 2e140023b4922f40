"""From a protocol and two sides to a `Line`: the value, its interval, and what real samples get."""

import math
import time
from dataclasses import dataclass, field, replace

from sparring.data.watch import Watch
from sparring.errors import DataError
from sparring.evaluation.bank import Side
from sparring.evaluation.fitting import check
from sparring.evaluation.job import Job, Measured
from sparring.evaluation.line import Interval, Line, Row
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.table import METRICS
from sparring.features.extracted import Extractor

SPREAD = 1.96  # standard errors to each side: 95 % of a normal distribution


@dataclass(frozen=True, kw_only=True)
class How:
    """Details of a measurement.

    Arguments:
        seed: of what the metric draws (and, for the record, of the samples).
        resamples: of the bootstrap, where a metric needs one; 0 leaves its interval out.
        watch: told of the progress, asked whether to stop.
    """

    seed: int = 0
    resamples: int = 20
    watch: Watch = field(default_factory=Watch)


def measure(
    protocol: Protocol,
    fake: Sampled,
    reference: Reference,
    extractor: Extractor,
    other: Reference | None = None,
    how: How | None = None,
) -> Line:
    """Measure one protocol.

    Arguments:
        fake: what is judged; its first `protocol.count` samples are taken.
        reference: the split that the protocol names.
        extractor: the one that the protocol names.
        other: the other split (test for train, train for test) where there is one, for the train-against-test row.

    Raises:
        DataError: too few samples, other sizes, features that are not finite. ConfigError: what does not go together.
    """
    how, began = how or How(), time.monotonic()
    check(protocol, fake, reference, extractor)
    count = protocol.count
    by_itself = protocol.meaning.generation
    real = Side(
        bank=reference.bank,
        start=0,
        stop=len(reference.bank) if by_itself or protocol.meaning.whole else count,
        extractor=extractor,
        watch=how.watch,
        role="real",
    )
    made = replace(real, bank=fake.bank, stop=len(fake.bank) if by_itself else count, role="generated")
    job = Job(
        real=real,
        fake=made,
        reference=reference,
        sampled=fake,
        count=count,
        seed=how.seed,
        resamples=how.resamples,
    )
    found = _finite(protocol, METRICS[protocol.metric](job))
    rows = (None, None) if by_itself else _rows(protocol, job, other)
    return Line(
        protocol=protocol,
        values=found.values,
        interval=_interval(found, found.values[protocol.meaning.headline]),
        real=len(real),
        fake=count if by_itself else len(made),
        digest=extractor.digest,
        dimension=extractor.dimension,
        rule=extractor.rule,
        seed=how.seed,
        floor=rows[0],
        train_against_test=rows[1],
        compared={
            "samples": fake.source,
            "samples_fingerprint": fake.fingerprint,
            "images": fake.images,
            "reference": reference.identity,
            "reference_source": reference.source,
        },
        seconds=round(time.monotonic() - began, 3),
    )


def _rows(protocol: Protocol, job: Job, other: Reference | None) -> tuple[Row | None, Row | None]:
    """What real samples get; each is measured once for a reference."""
    known, extractor = job.reference.rows, job.real.extractor
    beside = other.identity if other is not None else ""
    name = f"{protocol} {extractor.digest} {extractor.rule} {job.seed} {beside}"
    if name not in known:
        known[name] = _floor(protocol, job), _train_against_test(protocol, job, other)
    found: tuple[Row | None, Row | None] = known[name]
    return found


def _floor(protocol: Protocol, job: Job) -> Row | None:
    """Two parts of the reference that have no sample in common, each as large as the name says, or half of the set.

    Where the whole set is looked at, the real part is all that is left.
    """
    size = min(protocol.count, len(job.real.bank) // 2)
    if size < protocol.meaning.least:
        return None
    what = "other samples of the same set" if size == protocol.count else "two halves of the set"
    first, second = replace(job.real, stop=size), replace(job.real, start=size, stop=2 * size)
    if protocol.meaning.whole:
        first, second = replace(job.real, start=size, stop=len(job.real.bank)), first
    return _row(protocol, replace(job, real=first, fake=second), what)


def _train_against_test(protocol: Protocol, job: Job, other: Reference | None) -> Row | None:
    if other is None or other.samples.shape[1:] != job.reference.samples.shape[1:]:
        return None
    size = min(protocol.count, len(other.bank))
    if size < protocol.meaning.least or (protocol.meaning.labels and not other.bank.labelled):
        return None
    fake = replace(job.real, bank=other.bank, stop=size)
    real = job.real if protocol.meaning.whole else replace(job.real, stop=size)
    return _row(protocol, replace(job, real=real, fake=fake), f"the {other.split} set")


def _row(protocol: Protocol, job: Job, what: str) -> Row | None:
    """The metric on real samples alone; None where it can't be had for so few."""
    try:
        found = _finite(protocol, METRICS[protocol.metric](replace(job, sampled=None, resamples=0)))
    except DataError:
        return None
    return Row(values=found.values, real=len(job.real), fake=len(job.fake), what=what)


def _finite(protocol: Protocol, found: Measured) -> Measured:
    bad = [name for name, value in found.values.items() if not math.isfinite(value)]
    if bad:
        raise DataError(
            f"{protocol}: {', '.join(bad)} is not finite", "a number", "look at the samples and at the data"
        )
    return found


def _interval(found: Measured, value: float) -> Interval | None:
    if found.error is None or not math.isfinite(found.error):
        return None
    reach = SPREAD * found.error
    low, high = value - reach, value + reach
    if found.share:
        low, high = max(0.0, low), min(1.0, high)
    return Interval(low=low, high=high, kind=found.kind)
