"""What the metrics of translated pictures are, in plain words: each picture is compared with its own truth or its own input."""

from sparring.evaluation.kind import Meaning

PARTNERS = {
    "psnr": Meaning(
        title="peak signal-to-noise ratio",
        headline="psnr",
        better="higher",
        good="decibels; to be read beside what the input itself and a linear map of its colours get. Blurred pictures get more "
        "than sharp ones whose details lie elsewhere; 58.9 is the most, as less than rounding can't be seen",
        least=1,
        steady=True,
        pairs=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "ssim": Meaning(
        title="structural similarity",
        headline="ssim",
        better="higher",
        good="1 for the truth itself; brightness, contrast and structure in windows of 11 pixels",
        least=1,
        steady=True,
        pairs=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "mae": Meaning(
        title="mean absolute difference",
        headline="mae",
        better="lower",
        good="in shades of 255; blurred pictures get less than sharp ones whose details lie elsewhere",
        least=1,
        steady=True,
        pairs=True,
        needs="truth",
        extractors=("pixels",),
    ),
    "perceptual": Meaning(
        title="perceptual distance",
        headline="perceptual",
        better="lower",
        good="0 for the truth itself, 2 for features that have nothing in common; it depends on the extractor, so compare it "
        "with nothing but itself",
        least=1,
        steady=True,
        pairs=True,
        needs="truth",
    ),
    "cycle": Meaning(
        title="cycle consistency",
        headline="cycle",
        better="higher",
        good="decibels between a picture and what comes back when it is translated there and back; 58.9, the most, is also what "
        "two translators get that do nothing",
        least=1,
        steady=True,
        pairs=True,
        needs="way back",
        extractors=("pixels",),
    ),
    "drift": Meaning(
        title="content drift",
        headline="drift",
        better="lower",
        good="0 where all edges of the input stay where they are (also where nothing is translated), about 1 where none does",
        least=1,
        steady=True,
        pairs=True,
        needs="input",
        extractors=("pixels",),
    ),
}
