"""Skip connections from a network's input to its output, for samples that are vectors, such as codes.

With them the second stage of a two-stage VAE learns; without them its training stays at a point where the codes are
ignored.

References: Dai & Wipf 2019, "Diagnosing and enhancing VAE models", arXiv:1903.05789 (the authors' code concatenates the
input of the second stage's networks with their last hidden layer).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core.shapes import Features, Labels, Latent, SampleSpec
from sparring.parts.networks import DiscriminatorNetwork


@dataclass(frozen=True, kw_only=True)
class ConcatInput:
    """Settings of a body whose features are concatenated with its input.

    Arguments:
        network: the body without the skip connection, from samples (b, d) to features (b, f).

    Shape: (b, d) to (b, f + d).
    """

    network: DiscriminatorNetwork

    def build(self, spec: SampleSpec) -> nn.Module:
        body: Any = self.network.build(spec)
        concatenated: Any = ConcatInputBody(body)
        concatenated.num_features = body.num_features + spec.numel
        return concatenated


class ConcatInputBody(nn.Module):
    """See `ConcatInput`."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Features:
        return torch.cat([self.body(x), x], 1)


class LinearSkip(nn.Module):
    """The sum of a network's output and a linear map of its input.

    Arguments:
        network: from latents (b, z) to outputs (b, f).
        linear: from latents to outputs of the same shape.

    Shape: (b, z) to (b, f).
    """

    def __init__(self, network: nn.Module, linear: nn.Linear) -> None:
        super().__init__()
        self.network, self.linear = network, linear

    def forward(self, z: Latent, y: Labels | None = None) -> Features:
        out: Tensor = self.network(z) + self.linear(z)
        return out
