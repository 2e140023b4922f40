"""Feature extractors: from samples to features. One file each; a new one is a file here and a row in
`EXTRACTORS`.
"""

from collections.abc import Callable
from pathlib import Path

from sparring.core.errors import ConfigError, did_you_mean
from sparring.core.runtime import Runtime
from sparring.data.dataset import Dataset
from sparring.features.classifier import ClassifierExtractor
from sparring.features.dinov2 import DINOv2Extractor
from sparring.features.efficientnet import EfficientNetExtractor
from sparring.features.extractor import Extractor, ExtractorOptions, ExtractorOutput
from sparring.features.inception import InceptionExtractor
from sparring.features.pixels_pca import PCAExtractor, PixelExtractor, PointExtractor
from sparring.protocols.catalogue import EXTRACTORS_INFO

EXTRACTORS: dict[str, Callable[[ExtractorOptions], Extractor]] = {
    "pixels": lambda options: PixelExtractor(options.data().samples.shape[1:] if options.fitted_on else None),
    "pca": lambda options: PCAExtractor(options.data().samples),
    "classifier": ClassifierExtractor,
    "efficientnet_lite0": EfficientNetExtractor,
    "inception": InceptionExtractor,
    "dinov2_s": DINOv2Extractor,
    "dinov2_b": DINOv2Extractor,
    "dinov2_l": DINOv2Extractor,
    "points": lambda options: PointExtractor(
        options.data(images=False).samples.shape[1] if options.fitted_on else 0
    ),
}


def load(
    name: str, *, runtime: Runtime, weights: Path | None = None, fitted_on: Dataset | None = None
) -> Extractor:
    """The extractor of this name, ready to be called.

    Arguments:
        name: a row of `EXTRACTORS`.
        runtime: where it computes.
        weights: of a published network; None looks where they usually are.
        fitted_on: the user's set, for "pixels" (its shape alone), "pca" and "classifier".

    Raises:
        ConfigError: there is none of this name, or something that it needs is missing.
    """
    if name not in EXTRACTORS:
        raise ConfigError(f"extractor {name!r}", "a known extractor", did_you_mean(name, list(EXTRACTORS)))
    if weights is not None and not EXTRACTORS_INFO[name].has_weights:
        raise ConfigError(
            f"weights for the extractor {name!r}", "none: it has no published weights", "leave them out"
        )
    return EXTRACTORS[name](
        ExtractorOptions(name=name, runtime=runtime, weights=weights, fitted_on=fitted_on)
    )


__all__ = ["EXTRACTORS", "ExtractorOutput", "Extractor", "load"]
