"""What each metric is, in plain words: its headline, which way is better, what it needs. No torch in here."""

from sparring.evaluation.kind import Meaning
from sparring.evaluation.partners import PARTNERS

MEANINGS: dict[str, Meaning] = {
    "fd": Meaning(
        title="Fréchet distance",
        headline="fd",
        better="lower",
        good="0 is out of reach: two sets of real samples are as far apart as the floor says; "
        "the nearer to the floor, the better",
    ),
    "fdinf": Meaning(
        title="Fréchet distance, extrapolated to endless samples",
        headline="fdinf",
        better="lower",
        good="near 0 for real samples, whatever the count; the nearer to the floor, the better",
        least=100,
    ),
    "kd": Meaning(
        title="kernel distance",
        headline="kd",
        better="lower",
        good="0 on average for real samples, also for small sets; it can fall a little below 0 by chance",
        least=10,
        steady=True,
    ),
    "is": Meaning(
        title="Inception score of this extractor's classes",
        headline="is",
        better="higher",
        good="1 is the worst; compare it with the floor's, which is that of real samples. It sees no copying "
        "and no variety within a class",
        least=500,
    ),
    "prdc": Meaning(
        title="precision, recall, density, coverage",
        headline="coverage",
        better="higher",
        good="precision and density say how real samples look, recall and coverage how much of the data they "
        "reach; real samples get what the floor says, not 1",
        least=10,
    ),
    "auth": Meaning(
        title="authenticity",
        headline="authenticity",
        better="higher",
        good="the share of samples that are no near copies of a training sample; real samples get what the "
        "train-against-test row (or the floor) says, and much less means that it memorises",
        whole=True,
        steady=True,
    ),
    "pcfd": Meaning(
        title="Fréchet distance of each class",
        headline="mean",
        better="lower",
        good="as the Fréchet distance, class by class; a class that is far worse than the others is not learned",
        labels=True,
        least=10,
    ),
    "cas": Meaning(
        title="classification accuracy score",
        headline="accuracy",
        better="higher",
        good="how often a classifier that learned from generated samples alone is right on real ones; the "
        "floor's is that of one that learned from real samples",
        labels=True,
        least=10,
    ),
    "swd": Meaning(
        title="sliced Wasserstein distance",
        headline="swd",
        better="lower",
        good="how far values must be moved on average, in the samples' own units; real samples get the floor",
    ),
    "msssim": Meaning(
        title="diversity by structural similarity",
        headline="msssim",
        better="lower",
        good="how alike two samples of one set are; far above the floor's (real pairs) means too little variety",
        steady=True,
        extractors=("pixels",),
    ),
    "ppl": Meaning(
        title="perceptual path length",
        headline="ppl",
        better="lower",
        good="how abruptly samples change when the latent moves a little; for comparing generators of one data set",
        generation=True,
        least=10,
    ),
    "modes": Meaning(
        title="modes found",
        headline="modes",
        better="higher",
        good="how many of the mixture's modes have a sample near them; the floor's share of good samples, "
        "below 1, is that of a perfect generator: above it the spread is too small",
        least=10,
        extractors=("points",),
    ),
    "parzen": Meaning(
        title="Parzen-window log-likelihood",
        headline="parzen",
        better="higher",
        good="nats; the protocol of 2014, kept to compare with it: it can be gamed and is a poor judge of pictures",
        least=20,
        extractors=("pixels", "points"),
    ),
    "nll": Meaning(
        title="negative log-likelihood by importance sampling",
        headline="nll",
        better="lower",
        good="nats a sample; an upper bound that falls with the number of importance samples",
        generation=True,
        least=1,
        extractors=("pixels", "points"),
    ),
    **PARTNERS,
}
