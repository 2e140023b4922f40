"""Discriminator: a body that computes features, minibatch statistics appended to them, and a head that computes logits."""

from typing import Any

import torch
from torch import Tensor, nn

from sparring.core.shapes import Features, Labels, Logits, Sample, SampleSpec
from sparring.parts.conditioning import BatchFeature, Conditioning
from sparring.parts.networks import DiscriminatorNetwork


class Discriminator(nn.Module):
    """From samples to logits, positive for real.

    Arguments:
        network: settings of the body, from samples to features.
        head: settings of the map from features (and labels) to logits.
        statistics: settings of minibatch statistics, appended to the features; None for none.
        spec: of its inputs.

    Shape: (b, *sample) and labels (b,) to logits (b,).
    """

    def __init__(
        self,
        network: DiscriminatorNetwork,
        head: Conditioning,
        statistics: BatchFeature | None,
        *,
        spec: SampleSpec,
    ) -> None:
        super().__init__()
        body: Any = network.build(spec)
        layer: Any = statistics.build(body.num_features) if statistics else nn.Identity()
        count: int = layer.num_features if statistics else body.num_features
        self.body, self.statistics = body, layer
        self.judge: Any = head.build(count, spec.num_classes, spectral=body.spectral)

    def features(self, x: Sample) -> Features:
        """The input of the head (b, d), in float32."""
        return self.statistics(self.body(x).float())

    def joint_features(self, *parts: Sample) -> list[Features]:
        """The features of several batches, which pass through the body as one; minibatch statistics are of each batch alone."""
        rows = self.body(torch.cat(parts)).float()
        return [self.statistics(part) for part in rows.split([len(part) for part in parts])]

    def head(self, features: Features, y: Labels | None = None) -> Logits:
        """Logits (b,) of features (b, d)."""
        return self.judge(features, y)

    def classify(self, features: Features) -> Tensor:
        """Class logits (b, classes).

        Raises:
            ConfigError: the head has no classifier.
        """
        return self.judge.classify(features)

    def forward(self, x: Sample, y: Labels | None = None) -> Logits:
        return self.head(self.features(x), y)
