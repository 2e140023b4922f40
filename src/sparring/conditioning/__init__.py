"""Conditioning: the discriminator's head, with or without labels, and features of a whole batch."""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.conditioning.auxiliary import Auxiliary
from sparring.conditioning.batch import Discrimination, StandardDeviation
from sparring.conditioning.concatenation import Concatenation
from sparring.conditioning.labels import LabelEmbedding
from sparring.conditioning.linear import Linear
from sparring.conditioning.projection import Projection


@runtime_checkable
class Conditioning(Protocol):
    """Settings of a head: a module with `forward(features, y) -> logits (b,)` and `classify(features)`."""

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module: ...


@runtime_checkable
class BatchFeature(Protocol):
    """Settings of a layer from features (b, d) to (b, `num_features`), which sees the whole batch."""

    def build(self, num_features: int) -> nn.Module: ...


HEADS: dict[str, type[Conditioning]] = {
    "linear": Linear,
    "concatenation": Concatenation,
    "projection": Projection,
    "auxiliary": Auxiliary,
}

BATCH_FEATURES: dict[str, type[BatchFeature]] = {
    "standard_deviation": StandardDeviation,
    "discrimination": Discrimination,
}

__all__ = [
    "BATCH_FEATURES",
    "HEADS",
    "Auxiliary",
    "BatchFeature",
    "Concatenation",
    "Conditioning",
    "Discrimination",
    "LabelEmbedding",
    "Linear",
    "Projection",
    "StandardDeviation",
]
