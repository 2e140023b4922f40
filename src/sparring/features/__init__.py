"""Feature extractors: from samples to features, one file each. A new one is a file here and a row in
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
from sparring.features.self_supervised import SelfSupervisedExtractor
from sparring.protocols.catalogue import EXTRACTORS_INFO

EXTRACTORS: dict[str, Callable[[ExtractorOptions], Extractor]] = {
    "pixels": lambda options: PixelExtractor(options.data().samples.shape[1:] if options.fitted_on else None),
    "pca": lambda options: PCAExtractor(options.data().samples),
    "classifier": ClassifierExtractor,
    "self_supervised": SelfSupervisedExtractor,
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
    name: str,
    *,
    runtime: Runtime,
    weights: Path | None = None,
    fitted_on: Dataset | None = None,
    fit_images: int | None = None,
) -> Extractor:
    """Load an extractor.

    Arguments:
        name: a key of `EXTRACTORS`.
        runtime: the device that it computes on.
        weights: file (or its folder) with the weights of a published network; None searches `$SPARRING_WEIGHTS` and the
            package that ships them.
        fitted_on: the user's data, for "pixels" and "points" (its shape alone), "pca", "classifier" and "self_supervised".
        fit_images: images that "self_supervised" sees in training; None is its default.

    Raises:
        ConfigError: an unknown name, or weights or data are missing. CorruptFileError: damaged weights.
        DataError: data that it can't be fitted on.
    """
    if name not in EXTRACTORS:
        raise ConfigError(f"extractor {name!r}", "a known extractor", did_you_mean(name, list(EXTRACTORS)))
    if weights is not None and not EXTRACTORS_INFO[name].has_weights:
        raise ConfigError(
            f"weights for the extractor {name!r}", "none: it has no published weights", "omit them"
        )
    return EXTRACTORS[name](
        ExtractorOptions(
            name=name, runtime=runtime, weights=weights, fitted_on=fitted_on, fit_images=fit_images
        )
    )


__all__ = ["EXTRACTORS", "ExtractorOutput", "Extractor", "load"]
