"""The catalogue of metrics: title, headline value, direction, and what each metric needs. One row per metric.

No torch. The function of each metric is in `evaluation/compute.py`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """What a metric is.

    Arguments:
        title: its name in words.
        headline: the value that stands for the whole, in `Line.values`.
        better: which way is better.
        least: the fewest samples that it makes sense for.
        good: what is good, for somebody who reads the number for the first time.
        labels: whether both sets must have labels.
        generation: whether it needs the generator itself, not only samples.
        whole: whether all samples of the real set are looked at; the count is that of the generated ones.
        steady: whether its mean does not depend on the number of samples.
        pairs: whether each sample is compared with a partner of its own; then real samples can't stand in for others.
        needs: what it is measured of, beside samples: `truth` (what each should have become), `input` (what it was made from) or
            `way back` (a translator in the other direction).
        extractors: the only ones that it is defined for; none given: all.
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
    paired: bool = False
    needs: Literal["", "truth", "input", "way back"] = ""
    extractors: tuple[str, ...] = ()

    @property
    def on_pixels(self) -> bool:
        """Whether it looks at the pixels of the images themselves, and not at features of theirs."""
        return self.paired and self.extractors == ("pixels",)


PAIRED_METRICS_INFO = {
    "psnr": MetricInfo(
        title="peak signal-to-noise ratio",
        headline="psnr",
        better="higher",
        interpretation="decibels; to be read beside what the input itself and a linear map of its colours get. Blurred images get more "
        "than sharp ones whose details lie elsewhere; 58.9 is the most, as less than rounding can't be seen",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "ssim": MetricInfo(
        title="structural similarity",
        headline="ssim",
        better="higher",
        interpretation="1 for the truth itself; brightness, contrast and structure in windows of 11 pixels",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "mae": MetricInfo(
        title="mean absolute difference",
        headline="mae",
        better="lower",
        interpretation="in shades of 255; blurred images get less than sharp ones whose details lie elsewhere",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "perceptual": MetricInfo(
        title="perceptual distance",
        headline="perceptual",
        better="lower",
        interpretation="0 for the truth itself, 2 for features that have nothing in common; it depends on the extractor, so compare it "
        "with nothing but itself",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="truth",
    ),
    "cycle": MetricInfo(
        title="cycle consistency",
        headline="cycle",
        better="higher",
        interpretation="decibels between a image and what comes back when it is translated there and back; 58.9, the most, is also what "
        "two translators get that do nothing",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="way back",
        extractors=("pixels",),
    ),
    "drift": MetricInfo(
        title="content drift",
        headline="drift",
        better="lower",
        interpretation="0 where all edges of the input stay where they are (also where nothing is translated), about 1 where none does",
        min_samples=1,
        size_invariant=True,
        paired=True,
        needs="input",
        extractors=("pixels",),
    ),
}


METRICS_INFO: dict[str, MetricInfo] = {
    "fd": MetricInfo(
        title="Fréchet distance",
        headline="fd",
        better="lower",
        interpretation="0 is out of reach: two sets of real samples are as far apart as the floor says; "
        "the nearer to the floor, the better",
    ),
    "fdinf": MetricInfo(
        title="Fréchet distance, extrapolated to endless samples",
        headline="fdinf",
        better="lower",
        interpretation="near 0 for real samples, whatever the count; the nearer to the floor, the better",
        min_samples=100,
    ),
    "kd": MetricInfo(
        title="kernel distance",
        headline="kd",
        better="lower",
        interpretation="0 on average for real samples, also for small sets; it can fall a little below 0 by chance",
        min_samples=10,
        size_invariant=True,
    ),
    "is": MetricInfo(
        title="Inception score of this extractor's classes",
        headline="is",
        better="higher",
        interpretation="1 is the worst; compare it with the floor's, which is that of real samples. It sees no copying "
        "and no variety within a class",
        min_samples=500,
    ),
    "prdc": MetricInfo(
        title="precision, recall, density, coverage",
        headline="coverage",
        better="higher",
        interpretation="precision and density say how real samples look, recall and coverage how much of the data they "
        "reach; real samples get what the floor says, not 1",
        min_samples=10,
    ),
    "auth": MetricInfo(
        title="authenticity",
        headline="authenticity",
        better="higher",
        interpretation="the share of samples that are no near copies of a training sample; real samples get what the "
        "train-against-test row (or the floor) says, and much less means that it memorises",
        uses_all_real=True,
        size_invariant=True,
    ),
    "pcfd": MetricInfo(
        title="Fréchet distance of each class",
        headline="mean",
        better="lower",
        interpretation="as the Fréchet distance, class by class; a class that is far worse than the others is not learned",
        needs_labels=True,
        min_samples=10,
    ),
    "cas": MetricInfo(
        title="classification accuracy score",
        headline="accuracy",
        better="higher",
        interpretation="how often a classifier that learned from generated samples alone is right on real ones; the "
        "floor's is that of one that learned from real samples",
        needs_labels=True,
        min_samples=10,
    ),
    "swd": MetricInfo(
        title="sliced Wasserstein distance",
        headline="swd",
        better="lower",
        interpretation="how far values must be moved on average, in the samples' own units; real samples get the floor",
    ),
    "msssim": MetricInfo(
        title="diversity by structural similarity",
        headline="msssim",
        better="lower",
        interpretation="how alike two samples of one set are; far above the floor's (real pairs) means too little variety",
        size_invariant=True,
        extractors=("pixels",),
    ),
    "ppl": MetricInfo(
        title="perceptual path length",
        headline="ppl",
        better="lower",
        interpretation="how abruptly samples change when the latent moves a little; for comparing generators of one data set",
        needs_generator=True,
        min_samples=10,
    ),
    "modes": MetricInfo(
        title="modes found",
        headline="modes",
        better="higher",
        interpretation="how many of the mixture's modes have a sample near them; the floor's share of good samples, "
        "below 1, is that of a perfect generator: above it the spread is too small",
        min_samples=10,
        extractors=("points",),
    ),
    "parzen": MetricInfo(
        title="Parzen-window log-likelihood",
        headline="parzen",
        better="higher",
        interpretation="nats; the protocol of 2014, kept to compare with it: it can be gamed and is a poor judge of images",
        min_samples=20,
        extractors=("pixels", "points"),
    ),
    "nll": MetricInfo(
        title="negative log-likelihood by importance sampling",
        headline="nll",
        better="lower",
        interpretation="nats a sample; an upper bound that falls with the number of importance samples",
        needs_generator=True,
        min_samples=1,
        extractors=("pixels", "points"),
    ),
    **PAIRED_METRICS_INFO,
}
