"""Extractors: from samples to features. One file each; a new one is a file here and a row in the table."""

from collections.abc import Callable
from pathlib import Path

from sparring.data.dataset import Dataset
from sparring.errors import ConfigError, nearest
from sparring.features.classifier import Classifier
from sparring.features.dinov2 import DinoV2
from sparring.features.efficientnet import Lite
from sparring.features.extracted import Extracted, Extractor
from sparring.features.inception import Fid
from sparring.features.plain import Pca, Pixels, Points
from sparring.features.wanted import Wanted
from sparring.runtime import Runtime

EXTRACTORS: dict[str, Callable[[Wanted], Extractor]] = {
    "pixels": lambda wanted: Pixels(wanted.data().samples.shape[1:] if wanted.fitted_on else None),
    "pca": lambda wanted: Pca(wanted.data().samples),
    "classifier": Classifier,
    "efficientnet_lite0": Lite,
    "inception": Fid,
    "dinov2_s": DinoV2,
    "dinov2_b": DinoV2,
    "dinov2_l": DinoV2,
    "points": lambda wanted: Points(wanted.data(pictures=False).samples.shape[1] if wanted.fitted_on else 0),
}
_WITH_WEIGHTS = {"efficientnet_lite0", "inception", "dinov2_s", "dinov2_b", "dinov2_l"}


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
        raise ConfigError(f"extractor {name!r}", "a known extractor", nearest(name, list(EXTRACTORS)))
    if weights is not None and name not in _WITH_WEIGHTS:
        raise ConfigError(
            f"weights for the extractor {name!r}", "none: it has no published weights", "leave them out"
        )
    return EXTRACTORS[name](Wanted(name=name, runtime=runtime, weights=weights, fitted_on=fitted_on))


__all__ = ["EXTRACTORS", "Extracted", "Extractor", "load"]
