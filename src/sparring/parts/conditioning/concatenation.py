"""Concatenation head of the conditional GAN: the label's embedding is concatenated to the features."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Labels, Logits
from sparring.parts.conditioning.unconditional import maybe_spectral_norm, raise_no_classifier
from sparring.parts.networks.layers.label_embedding import require_classes, require_labels


@dataclass(frozen=True, kw_only=True)
class Concatenation:
    """Features concatenated with an embedding of the label, and a hidden layer on both.

        D(x, y) = w . lrelu(W [f(x), V_y] + c) + d

    Deviation: LeakyReLU of negative slope 0.2 where the paper has maxout.

    References:
        Mirza & Osindero 2014, "Conditional generative adversarial nets", arXiv 1411.1784, sec. 3.2 and 4.1.

    Arguments:
        embedding: size of the label's embedding (default 50, as in the paper's discriminator).
        width: units of the joint layer (default 240, as in the paper's discriminator).

    Shape: features (b, d) and labels (b,) to logits (b,).
    """

    embedding: int = 50
    width: int = 240

    def __post_init__(self) -> None:
        if min(self.embedding, self.width) < 1:
            raise ConfigError(
                f"embedding {self.embedding}, width {self.width}", "1 or more", "50 and 240 are the paper's"
            )

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module:
        require_classes(classes, "concatenation")
        return ConcatenationHead(self, num_features, classes, spectral)


class ConcatenationHead(nn.Module):
    """See `Concatenation`."""

    def __init__(self, config: Concatenation, num_features: int, classes: int, spectral: bool) -> None:
        super().__init__()
        self.embed = maybe_spectral_norm(nn.Embedding(classes, config.embedding), spectral)
        self.joint = maybe_spectral_norm(nn.Linear(num_features + config.embedding, config.width), spectral)
        self.logit = maybe_spectral_norm(nn.Linear(config.width, 1), spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        label = self.embed(require_labels(y, "discriminator")).to(features.dtype)
        joint = F.leaky_relu(self.joint(torch.cat([features, label], dim=1)), 0.2)
        return self.logit(joint).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return raise_no_classifier("concatenation")
