"""The catalogue of metrics and of feature extractors. One row each.

A new metric is a formula in `metrics/`, a row in `METRICS_INFO` and a function in `evaluation/compute.py`. A new
extractor is a file in `features/`, a row in its table and a row in `EXTRACTORS_INFO`. No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Requirement = Literal["", "target", "input", "reverse"]


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """Properties of a metric.

    Arguments:
        title: name in words.
        headline: the main value, a key of `Result.values`.
        better: which direction is better.
        interpretation: what a good value is, for readers who see the number for the first time.
        min_samples: the smallest number of samples for which the metric is defined.
        needs_labels: whether real and generated samples must be labelled.
        needs_generator: whether the metric needs the generator, not only samples of it.
        uses_all_real: whether all real samples are used; the count of the protocol is then that of the generated ones.
        size_invariant: whether the expected value does not depend on the number of samples.
        needs: what a paired metric compares each translated image with: its `target`, its `input`, or (`reverse`) the
            input and a translator in the opposite direction. Empty: the metric is not paired.
        extractors: the extractors that the metric is defined for; empty: all.
        default_extractor: features of images for `--until`, if the metric is defined for all extractors.
        sources: built-in data sets that the metric is defined for; empty: all data.
        shown_values: values in the table of results; empty: the headline.
        count_noun: what the count of the protocol counts.
        sentences: of the summary, where the general ones of `evaluation/summary.py` do not fit, by case: the generator
            scores `alike`, `better` or `worse` than real samples in its place, or (`better_on_train`) better against the
            training set than against the held-out set. `{}` is replaced by the score of the real samples.
        has_baselines: whether trivial translations (identity, linear colour map) have a score.
    """

    title: str
    headline: str
    better: Literal["lower", "higher"]
    interpretation: str
    min_samples: int = 2
    needs_labels: bool = False
    needs_generator: bool = False
    uses_all_real: bool = False
    size_invariant: bool = False
    needs: Requirement = ""
    extractors: tuple[str, ...] = ()
    default_extractor: str = "pca"
    sources: tuple[str, ...] = ()
    shown_values: tuple[str, ...] = ()
    count_noun: str = "samples"
    sentences: Mapping[str, str] = field(default_factory=dict)
    has_baselines: bool = True

    @property
    def paired(self) -> bool:
        """Whether each sample has a partner of its own, so that other real samples can't take its place."""
        return bool(self.needs)

    @property
    def image_extractor(self) -> str:
        """The extractor for images that `--until` takes when it names none."""
        return self.extractors[0] if self.extractors else self.default_extractor

    @property
    def on_pixels(self) -> bool:
        """Whether the images themselves are compared, without an extractor."""
        return self.paired and self.extractors == ("pixels",)


@dataclass(frozen=True, kw_only=True)
class ExtractorInfo:
    """Properties of a feature extractor.

    Arguments:
        is_large: a network that is slow on a CPU; default counts are limited there.
        has_weights: a published network.
        needs_weights_file: the weights come with no package; the user names the file.
        is_trained: a network that is trained on the user's data, for up to a minute.
        is_coarse: sees layout and colour, but little detail: only a large difference says which of two generators is better.
    """

    is_large: bool = False
    has_weights: bool = False
    needs_weights_file: bool = False
    is_trained: bool = False
    is_coarse: bool = False


EXTRACTORS_INFO = {
    "pixels": ExtractorInfo(is_coarse=True),
    "pca": ExtractorInfo(is_coarse=True),
    "classifier": ExtractorInfo(is_trained=True),
    "self_supervised": ExtractorInfo(is_trained=True),
    "efficientnet_lite0": ExtractorInfo(is_large=True, has_weights=True),
    "inception": ExtractorInfo(is_large=True, has_weights=True, needs_weights_file=True),
    "dinov2_s": ExtractorInfo(is_large=True, has_weights=True, needs_weights_file=True),
    "dinov2_b": ExtractorInfo(is_large=True, has_weights=True, needs_weights_file=True),
    "dinov2_l": ExtractorInfo(is_large=True, has_weights=True, needs_weights_file=True),
    "points": ExtractorInfo(),
}

COPY_SENTENCE = "closer to the training set than real samples, which get {}: look for copies"

METRICS_INFO: dict[str, MetricInfo] = {
    "fd": MetricInfo(
        title="Fréchet distance",
        headline="fd",
        better="lower",
        interpretation="real samples do not reach 0; the closer to the floor (the score of real samples), the better",
        sentences={"better_on_train": COPY_SENTENCE},
    ),
    "fdinf": MetricInfo(
        title="Fréchet distance, extrapolated to an infinite number of samples",
        headline="fdinf",
        better="lower",
        interpretation="close to 0 for real samples, whatever the count; the closer to the floor, the better",
        min_samples=100,
        sentences={"better_on_train": COPY_SENTENCE},
    ),
    "kd": MetricInfo(
        title="kernel distance",
        headline="kd",
        better="lower",
        interpretation="0 on average for real samples, also in small sets; estimates can be slightly negative",
        min_samples=10,
        size_invariant=True,
        sentences={"better_on_train": COPY_SENTENCE},
    ),
    "is": MetricInfo(
        title="Inception score with the classes of this extractor",
        headline="is",
        better="higher",
        interpretation="1 is the worst; compare it with the floor, the score of real samples. It detects neither copies "
        "nor a lack of variety within a class",
        min_samples=500,
        default_extractor="classifier",
    ),
    "prdc": MetricInfo(
        title="precision, recall, density, coverage",
        headline="coverage",
        better="higher",
        interpretation="precision and density measure how realistic the samples are, recall and coverage how much of the "
        "data they cover; real samples get the floor, not 1",
        min_samples=10,
        shown_values=("precision", "recall", "density", "coverage"),
    ),
    "auth": MetricInfo(
        title="authenticity",
        headline="authenticity",
        better="higher",
        interpretation="the fraction of samples that are not near copies of a training sample; real samples get the value "
        "in the train-against-test column (or the floor), and a much lower value means memorisation",
        uses_all_real=True,
        size_invariant=True,
        sentences={
            "alike": "no more near copies than expected by chance; real samples get {}",
            "better": "no sign of copying (samples far from all real ones also get 1); real samples get {}",
            "worse": "more near copies than expected by chance; real samples get {}: it memorises",
        },
    ),
    "pcfd": MetricInfo(
        title="Fréchet distance of each class",
        headline="mean",
        better="lower",
        interpretation="as the Fréchet distance, class by class; a class that is far worse than the others is not learned",
        needs_labels=True,
        min_samples=10,
        shown_values=("mean", "worst"),
    ),
    "cas": MetricInfo(
        title="classification accuracy score",
        headline="accuracy",
        better="higher",
        interpretation="accuracy on real samples of a classifier trained on generated ones; floor: trained on other real ones",
        needs_labels=True,
        min_samples=10,
        default_extractor="classifier",
    ),
    "swd": MetricInfo(
        title="sliced Wasserstein distance",
        headline="swd",
        better="lower",
        interpretation="the average transport distance, in units of the samples; real samples get the floor",
        default_extractor="pixels",
    ),
    "msssim": MetricInfo(
        title="diversity by structural similarity",
        headline="msssim",
        better="lower",
        interpretation="mean similarity of two samples; far above the floor (two real samples) means too little variety",
        size_invariant=True,
        extractors=("pixels",),
        sentences={
            "alike": "two samples are as similar as two real ones, which get {}",
            "better": "two samples are less similar than two real ones, which get {}: more variety, or noise",
            "worse": "two samples are more similar than two real ones, which get {}: too little variety",
        },
    ),
    "ppl": MetricInfo(
        title="perceptual path length",
        headline="ppl",
        better="lower",
        interpretation="how much samples change for a small step in latent space; compare only generators of one data set",
        needs_generator=True,
        min_samples=10,
        count_noun="paths",
        has_baselines=False,
    ),
    "modes": MetricInfo(
        title="mode coverage",
        headline="modes",
        better="higher",
        interpretation="how many modes of the mixture have a sample near them; the high-quality fraction of the floor, "
        "below 1, is that of a perfect generator: above it the spread is too small",
        min_samples=10,
        extractors=("points",),
        sources=("ring", "grid"),
        shown_values=("modes", "high_quality", "reverse_kl", "spread"),
    ),
    "parzen": MetricInfo(
        title="Parzen-window log-likelihood",
        headline="parzen",
        better="higher",
        interpretation="in nats; the protocol of 2014, kept for comparison: it is easy to game and says little about images",
        min_samples=20,
        extractors=("pixels", "points"),
    ),
    "nll": MetricInfo(
        title="negative log-likelihood by importance sampling",
        headline="nll",
        better="lower",
        interpretation="in nats per sample; an upper bound that falls with the number of importance samples",
        needs_generator=True,
        min_samples=1,
        extractors=("pixels", "points"),
        count_noun="importance samples",
        has_baselines=False,
    ),
    "psnr": MetricInfo(
        title="peak signal-to-noise ratio",
        headline="psnr",
        better="higher",
        interpretation="in decibels; compare it with the scores of the input itself and of a linear map of its colours. "
        "Blurred images get more than sharp ones with details in other places; 58.9 is the maximum, the rounding error",
        min_samples=1,
        size_invariant=True,
        needs="target",
        extractors=("pixels",),
    ),
    "ssim": MetricInfo(
        title="structural similarity",
        headline="ssim",
        better="higher",
        interpretation="1 for the ground truth itself; brightness, contrast and structure in windows of 11 pixels",
        min_samples=1,
        size_invariant=True,
        needs="target",
        extractors=("pixels",),
    ),
    "mae": MetricInfo(
        title="mean absolute error",
        headline="mae",
        better="lower",
        interpretation="in grey levels, 0 to 255; blurred images get less than sharp ones with details in other places",
        min_samples=1,
        size_invariant=True,
        needs="target",
        extractors=("pixels",),
    ),
    "perceptual": MetricInfo(
        title="perceptual distance",
        headline="perceptual",
        better="lower",
        interpretation="0 for the ground truth itself, 2 for orthogonal features; compare only values of one extractor",
        min_samples=1,
        size_invariant=True,
        needs="target",
    ),
    "cycle": MetricInfo(
        title="cycle consistency",
        headline="cycle",
        better="higher",
        interpretation="decibels between an image and its translation there and back; identity translators get the maximum, 58.9",
        min_samples=1,
        size_invariant=True,
        needs="reverse",
        extractors=("pixels",),
        has_baselines=False,
    ),
    "drift": MetricInfo(
        title="content drift",
        headline="drift",
        better="lower",
        interpretation="0 if all edges of the input stay in place (also if nothing is translated), about 1 if none does",
        min_samples=1,
        size_invariant=True,
        needs="input",
        extractors=("pixels",),
    ),
}
