"""From a protocol and two sides to a `Line`: the value, its interval, and what real samples get."""

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.data.watch import Watch
from sparring.evaluation import others
from sparring.evaluation.bank import Side
from sparring.evaluation.fitting import check
from sparring.evaluation.job import Job, Measured
from sparring.evaluation.line import Line
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.row import Interval
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.table import METRICS
from sparring.features.extracted import Extractor

AS_SAVED = "as they are saved, not resized"
SPREAD = 1.96  # standard errors to each side: 95 % of a normal distribution


@dataclass(frozen=True, kw_only=True)
class How:
    """Details of a measurement.

    Arguments:
        seed: of what the metric draws (and, for the record, of the samples).
        resamples: of the bootstrap, where a metric needs one; 0 leaves its interval out.
        watch: told of the progress, asked whether to stop.
        baselines: whether what costs nothing is measured beside translated pictures.
    """

    seed: int = 0
    resamples: int = 20
    watch: Watch = field(default_factory=Watch)
    baselines: bool = True


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
        given=_given(fake, made),
    )
    found = others.finite(protocol, METRICS[protocol.metric](job))
    alone = by_itself or protocol.meaning.pairs
    rows = (None, None) if alone else others.real(protocol, job, other)
    return Line(
        protocol=protocol,
        values=found.values,
        interval=_interval(found, found.values[protocol.meaning.headline]),
        real=len(real),
        fake=count if by_itself else len(made),
        digest=extractor.digest,
        dimension=extractor.dimension,
        rule=AS_SAVED if protocol.meaning.exact else extractor.rule,
        seed=how.seed,
        floor=rows[0],
        train_against_test=rows[1],
        baselines=others.baselines(protocol, job) if how.baselines else (),
        compared=_compared(fake, reference),
        seconds=round(time.monotonic() - began, 3),
    )


def _given(fake: Sampled, made: Side) -> Side | None:
    """The inputs of translated pictures."""
    given = fake.origin.given if fake.origin is not None else None
    return replace(made, bank=given, role="given") if given is not None else None


def _compared(fake: Sampled, reference: Reference) -> dict[str, Any]:
    """What was compared, for the record."""
    found = {
        "samples": fake.source,
        "samples_fingerprint": fake.fingerprint,
        "images": fake.images,
        "reference": reference.identity,
        "reference_source": reference.source,
    }
    if fake.origin is not None:
        found |= {"direction": fake.origin.direction, "paired": fake.origin.paired, **fake.origin.words}
    return found


def _interval(found: Measured, value: float) -> Interval | None:
    if found.error is None or not math.isfinite(found.error):
        return None
    reach = SPREAD * found.error
    low, high = value - reach, value + reach
    if found.share:
        low, high = max(0.0, low), min(1.0, high)
    return Interval(low=low, high=high, kind=found.kind)
