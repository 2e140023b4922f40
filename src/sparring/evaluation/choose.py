"""What is measured when nothing is said, and how short names become whole ones."""

import re
from collections.abc import Sequence

from sparring.errors import ConfigError, nearest
from sparring.evaluation.amounts import Facts, count_for, pairs_for
from sparring.evaluation.meaning import MEANINGS
from sparring.evaluation.protocol import EXTRACTORS, FORM, Protocol, short

CLASS_SAMPLES = 20  # of each class, for a distance of each class
WINDOW = 11  # pixels a side that structural similarity needs
MIXTURES = ("ring", "grid")


def defaults(facts: Facts, n: int | None = None) -> list[Protocol]:
    """The usual protocols for such samples."""
    main, split = facts.extractor, facts.split
    count = n or count_for(facts, main, split)
    if facts.known is not None:
        return _of_translated(facts, count, n or pairs_for(facts, split))
    wanted = [
        ("fd", main),
        ("kd", main),
        ("prdc", main),
        ("swd", "pixels" if facts.spec.is_image else "points"),
    ]
    if not facts.spec.is_image:
        wanted = [("swd", "points"), ("kd", "points"), ("prdc", "points"), ("fd", "points")]
        if facts.source in MIXTURES:
            wanted = [("modes", "points"), *wanted]
    if facts.spec.is_image and min(facts.spec.shape[1:]) >= WINDOW:
        wanted.append(("msssim", "pixels"))
    classes = facts.spec.classes
    if classes and count >= CLASS_SAMPLES * classes:
        wanted += [("pcfd", facts.quick), ("cas", main)]
    found = [_protocol(metric, count, extractor, split) for metric, extractor in wanted]
    copied = "train" if "train" in facts.counts else split
    found.append(_protocol("auth", count, facts.quick, copied))
    return [protocol for protocol in found if protocol is not None]


def _of_translated(facts: Facts, count: int, pairs: int) -> list[Protocol]:
    """The usual protocols for translated pictures: against their truth where it is known, else by what can be seen without."""
    assert facts.known is not None
    main, wide = facts.extractor, min(facts.spec.shape[1:]) >= WINDOW
    wanted = [("fd", count, main), ("kd", count, main), ("prdc", count, main)]
    if "truth" in facts.known:
        exact = ["psnr", *(["ssim"] if wide else []), "mae"]
        wanted = [*((name, pairs, "pixels") for name in exact), ("perceptual", pairs, main), *wanted]
    elif "input" in facts.known:
        wanted.append(("drift", pairs, "pixels"))
    if "way back" in facts.known:
        wanted.append(("cycle", pairs, "pixels"))
    found = [_protocol(metric, number, extractor, facts.split) for metric, number, extractor in wanted]
    return [protocol for protocol in found if protocol is not None]


def _protocol(metric: str, count: int, extractor: str, split: str) -> Protocol | None:
    """None where there are too few samples for it."""
    if count < MEANINGS[metric].least:
        return None
    return Protocol(metric=metric, count=count, extractor=extractor, split=split)


def complete(texts: Sequence[str], facts: Facts, n: int | None = None) -> list[Protocol]:
    """The protocols that these names stand for; what a name leaves out is chosen as by default.

    Raises:
        ConfigError: an unknown name, or a count that is said twice.
    """
    if not texts:
        return defaults(facts, n)
    names = [text.strip() for text in texts if text.strip()]
    if not names:
        raise ConfigError("metrics without a name", f"short names such as fd,kd, or {FORM}", "name one")
    return [_completed(name, facts, n) for name in names]


def _completed(text: str, facts: Facts, n: int | None) -> Protocol:
    match = re.fullmatch(r"([a-z_]+?)([0-9]+k?)?(?:-([a-z][a-z0-9_]*))?(?:-(train|test))?", text)
    if match is None or match[1] not in MEANINGS:
        name = re.split(r"[0-9-]", text)[0]
        raise ConfigError(
            f"metric {text!r}", f"a short name such as fd, or {FORM}", nearest(name, list(MEANINGS))
        )
    metric, count, extractor, split = match.groups()
    if extractor in ("train", "test") and split is None:
        extractor, split = None, extractor
    if count is not None and n is not None:
        raise ConfigError(
            f"{text} with --n {n:,}", "the count once", "leave --n out, or the count in the name"
        )
    split = split or ("train" if metric == "auth" and "train" in facts.counts else facts.split)
    _check_split(text, split, facts)
    usual = facts.quick if MEANINGS[metric].whole else facts.extractor
    extractor = extractor or (MEANINGS[metric].extractors or (usual,))[0 if facts.spec.is_image else -1]
    if extractor not in EXTRACTORS:
        raise ConfigError(
            f"extractor {extractor!r}", "a known extractor", nearest(extractor, list(EXTRACTORS))
        )
    least = pairs_for if MEANINGS[metric].pairs else lambda *_: count_for(facts, extractor, split)
    number = count or short(n or least(facts, split))
    return Protocol.parse(f"{metric}{number}-{extractor}-{split}")


def _check_split(text: str, split: str, facts: Facts) -> None:
    if split in facts.counts:
        return
    missing = (
        "no samples were held out, and --against names none"
        if split == "test"
        else "what these samples were learned from is not known"
    )
    raise ConfigError(
        f"{text} against the {split} set: {missing}",
        f"the {' or '.join(facts.counts)} set",
        "train with --set data.held_out=N, or name data with --against"
        if split == "test"
        else "write -test, which is what --against names",
    )
