"""Conditioning: the discriminator's head, with or without labels, and statistics of the whole minibatch."""

from typing import Protocol, runtime_checkable

from torch import nn

from sparring.parts.conditioning.auxiliary import Auxiliary
from sparring.parts.conditioning.concatenation import Concatenation
from sparring.parts.conditioning.minibatch import MinibatchDiscrimination, MinibatchStdDev
from sparring.parts.conditioning.projection import Projection
from sparring.parts.conditioning.unconditional import Unconditional
from sparring.parts.networks.layers.label_embedding import LabelEmbedding


@runtime_checkable
class Conditioning(Protocol):
    """Settings of a head: a module with `forward(features, y) -> logits (b,)` and `classify(features)`."""

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module: ...


@runtime_checkable
class BatchFeature(Protocol):
    """Settings of a layer from features (b, d) to (b, `num_features`), which sees the whole batch."""

    def build(self, num_features: int) -> nn.Module: ...


HEADS: dict[str, type[Conditioning]] = {
    "unconditional": Unconditional,
    "concatenation": Concatenation,
    "projection": Projection,
    "auxiliary": Auxiliary,
}

BATCH_FEATURES: dict[str, type[BatchFeature]] = {
    "minibatch_stddev": MinibatchStdDev,
    "minibatch_discrimination": MinibatchDiscrimination,
}

__all__ = [
    "BATCH_FEATURES",
    "HEADS",
    "Auxiliary",
    "BatchFeature",
    "Concatenation",
    "Conditioning",
    "MinibatchDiscrimination",
    "LabelEmbedding",
    "Unconditional",
    "Projection",
    "MinibatchStdDev",
]
