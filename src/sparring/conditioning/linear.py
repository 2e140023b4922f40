"""The head without conditions: one linear map from features to a logit."""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.shapes import Features, Labels, Logits


@dataclass(frozen=True, kw_only=True)
class Linear:
    """An unconditional discriminator's last layer; labels are not looked at.

        D(x) = w . f(x) + c

    References:
        Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661 (a logistic unit; the sigmoid
            is in the loss).

    Shape: features (b, d) to logits (b,).
    """

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module:
        return LinearHead(num_features, spectral)


class LinearHead(nn.Module):
    """See `Linear`."""

    def __init__(self, num_features: int, spectral: bool) -> None:
        super().__init__()
        self.logit = normalised(nn.Linear(num_features, 1), spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        return self.logit(features).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return no_classifier("linear")


def normalised(layer: nn.Module, spectral: bool) -> nn.Module:
    """The layer, with spectral normalisation where wanted."""
    if not spectral:
        return layer
    from sparring.networks.layers.spectral import spectral_norm  # late: networks import this package

    return spectral_norm(layer)


def no_classifier(head: str) -> Tensor:
    """What `classify` of a head without a classifier does: raise ConfigError."""
    raise ConfigError(
        f"the {head} head names no classes", "a head with a classifier", "set the conditioning to auxiliary"
    )
