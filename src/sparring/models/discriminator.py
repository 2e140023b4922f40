"""Discriminator: a body that computes features, minibatch statistics appended to them, and a head that computes logits."""

from typing import Any

import torch
from torch import Tensor, nn

from sparring.core.errors import ConfigError
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
        frozen_stages: stages of the body, counted from the image, whose parameters are not trained.

    References: Mo, Cho & Shin 2020, "Freeze the discriminator: a simple baseline for fine-tuning GANs", arXiv 2002.10964, sec. 3
    (frozen stages). Statistics of batch normalisation, and the vectors of spectral normalisation, still follow the data.

    Shape: (b, *sample) and labels (b,) to logits (b,).

    Raises:
        ConfigError: the body has fewer stages than are to be frozen.
    """

    def __init__(
        self,
        network: DiscriminatorNetwork,
        head: Conditioning,
        statistics: BatchFeature | None,
        *,
        spec: SampleSpec,
        frozen_stages: int = 0,
    ) -> None:
        super().__init__()
        body: Any = network.build(spec)
        layer: Any = statistics.build(body.num_features) if statistics else nn.Identity()
        count: int = layer.num_features if statistics else body.num_features
        self.body, self.statistics = body, layer
        self.judge: Any = head.build(count, spec.num_classes, spectral=body.spectral)
        if frozen_stages:
            _freeze_stages(body, frozen_stages)

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


def _freeze_stages(body: Any, count: int) -> None:
    """Exclude the parameters of the first `count` stages from training: an optimizer has no state for them."""
    stages = body.stages_from_image()
    if count > len(stages):
        got = f"game.freeze_discriminator={count} for a discriminator of {len(stages)} stages"
        raise ConfigError(got, f"0 to {len(stages)}", "lower it")
    for stage in stages[:count]:
        for module in stage:
            module.requires_grad_(False)
