"""Whether a protocol, two sets and an extractor go together."""

from collections.abc import Set
from dataclasses import replace

from sparring.errors import ConfigError, DataError
from sparring.evaluation.bank import Bank
from sparring.evaluation.protocol import Protocol, short
from sparring.evaluation.sides import Reference, Sampled
from sparring.evaluation.table import METRICS
from sparring.features.extracted import Extractor

LACKS = {
    "truth": (
        "A and B are not paired",
        "the truth of each picture",
        "name pairs with --against (folders A/ and B/ with equal names), or choose fd, kd, prdc, cycle, drift",
    ),
    "input": (
        "what the pictures were made from is not known",
        "a translator's run",
        "evaluate the run itself, or choose another metric",
    ),
    "way back": (
        "the translator goes one way",
        "both directions",
        "train cyclegan, which goes both ways, or choose another metric",
    ),
}


def require(protocol: Protocol, known: Set[str] | None) -> None:
    """Raises ConfigError where it can't be measured of translated pictures of which this is known (see `Origin.known`), or, with
    None, of samples that are no translations."""
    needs = protocol.meaning.needs
    if known is None and needs:
        raise ConfigError(
            f"{protocol} of samples that are no translations",
            "pictures made from pictures",
            "choose fd, kd or prdc; or give two folders with equal names",
        )
    if known is not None and needs and needs not in known:
        got, expected, fix = LACKS[needs]
        raise ConfigError(f"{protocol}: {got}", expected, fix)
    if known is not None and protocol.meaning.generation:
        raise ConfigError(
            f"{protocol} of translated pictures, which come from no latent space",
            "a metric of pictures",
            "choose psnr, perceptual, fd, kd, cycle or drift",
        )


def check(protocol: Protocol, fake: Sampled, reference: Reference, extractor: Extractor) -> None:
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
    require(protocol, fake.origin.known if fake.origin is not None else None)
    ours, theirs = fake.samples.shape[1:], reference.samples.shape[1:]
    if ours != theirs:
        raise DataError(
            f"samples of {shaped(ours)} against real ones of {shaped(theirs)}",
            "the same size and channels",
            "prepare both in the same way",
        )
    if not protocol.meaning.generation:
        enough(protocol, reference, len(fake.bank))
        there = len(fake.bank) if protocol.meaning.whole else min(len(reference.bank), len(fake.bank))
        _enough(protocol, fake.bank, fake.source or "the generated set", there)


def enough(protocol: Protocol, reference: Reference, made: int | None = None) -> None:
    """Raises unless there are as many real samples as the name says, where that is asked for; `made` are generated."""
    if (
        protocol.meaning.generation
        or protocol.meaning.whole
        or protocol.meaning.needs in ("input", "way back")
    ):
        return
    what = f"the {reference.split} set ({reference.source})" if reference.source else "the reference"
    _enough(protocol, reference.bank, what, min(len(reference.bank), made or len(reference.bank)))


def _enough(protocol: Protocol, bank: Bank, what: str, both: int) -> None:
    """Raises unless the bank holds as many as the name says; `both` sides have so many."""
    if len(bank) >= protocol.count:
        return
    least, there = protocol.meaning.least, len(bank)
    fix = f"use {replace(protocol, count=both)}" if both >= least else f"give {least:,} samples or more"
    raise DataError(
        f"{what} has {there:,} sample{'s' if there != 1 else ''}",
        f"{protocol.count:,}, which {protocol.metric}{short(protocol.count)} stands for",
        fix,
    )


def shaped(shape: tuple[int, ...]) -> str:
    """The shape of a saved sample in words.

    >>> shaped((48, 80, 3))
    '48x80, 3 channels'
    """
    if len(shape) == 1:
        return f"{shape[0]} coordinates"
    return f"{shape[0]}x{shape[1]}, {shape[2]} channel{'s' if shape[2] > 1 else ''}"
