"""Discriminator: a body that makes features, minibatch statistics appended to them, and a head that gives
logits.
"""

from typing import Any

from torch import Tensor, nn

from sparring.core.shapes import Features, Labels, Logits, Sample, SampleSpec
from sparring.parts.conditioning import BatchFeature, Conditioning
from sparring.parts.networks import DiscriminatorNetwork


class Discriminator(nn.Module):
    """The second player.

    Arguments:
        network: of the body, from samples to features.
        head: how features are judged, and how labels are used.
        statistics: of the whole batch, appended to the features; None for none.
        spec: of what it sees.

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
        """What the head judges, of use also for other ends (b, d)."""
        return self.statistics(self.body(x).float())

    def head(self, features: Features, y: Labels | None = None) -> Logits:
        """The judgement of features (b,)."""
        return self.judge(features, y)

    def classify(self, features: Features) -> Tensor:
        """Class logits (b, classes), where the head has a classifier."""
        return self.judge.classify(features)

    def forward(self, x: Sample, y: Labels | None = None) -> Logits:
        return self.head(self.features(x), y)
