"""What others get by the same metric: real samples in the place of generated ones, and what costs nothing to make."""

import math
from dataclasses import replace

from sparring.errors import DataError
from sparring.evaluation.bank import Bank
from sparring.evaluation.job import Job, Measured
from sparring.evaluation.protocol import Protocol
from sparring.evaluation.row import Row
from sparring.evaluation.sides import Reference
from sparring.evaluation.table import METRICS

NO_BASELINE = ("cycle", "ppl", "nll")


def real(protocol: Protocol, job: Job, other: Reference | None) -> tuple[Row | None, Row | None]:
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
        found = finite(protocol, METRICS[protocol.metric](replace(job, sampled=None, resamples=0)))
    except DataError:
        return None
    return Row(values=found.values, real=len(job.real), fake=len(job.fake), what=what)


def baselines(protocol: Protocol, job: Job) -> tuple[Row, ...]:
    """What is got by pictures that cost nothing, made from the same inputs; and by the truth, where it is not measured against."""
    origin = job.sampled.origin if job.sampled is not None else None
    if origin is None or protocol.metric in NO_BASELINE:
        return ()
    others: dict[str, Bank] = dict(origin.baselines)
    if origin.paired and protocol.meaning.needs == "input":
        others["truth"] = job.real.bank
    rows = [
        _row(protocol, replace(job, fake=replace(job.fake, bank=bank)), name)
        for name, bank in others.items()
        if len(bank) >= len(job.fake)
    ]
    return tuple(row for row in rows if row is not None)


def finite(protocol: Protocol, found: Measured) -> Measured:
    bad = [name for name, value in found.values.items() if not math.isfinite(value)]
    if bad:
        raise DataError(
            f"{protocol}: {', '.join(bad)} is not finite", "a number", "look at the samples and at the data"
        )
    return found
