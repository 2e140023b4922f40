"""Unconditional head: one linear map from features to a logit."""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Labels, Logits
from sparring.parts.networks.layers.spectral_norm import spectral_norm


@dataclass(frozen=True, kw_only=True)
class Unconditional:
    """The last layer of an unconditional discriminator; labels are ignored.

        D(x) = w . f(x) + c

    References:
        Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661 (a logistic unit; the sigmoid
            is in the loss).

    Arguments:
        init_gain: weights start normal with a standard deviation of gain / sqrt(d), the bias at 0; None takes
            PyTorch's initialisation.

    Shape: features (b, d) to logits (b,).
    """

    init_gain: float | None = None

    def __post_init__(self) -> None:
        if self.init_gain is not None and not self.init_gain > 0:
            raise ConfigError(f"init_gain {self.init_gain}", "above 0, or null", "1.4 suits rectifiers")

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module:
        return UnconditionalHead(num_features, spectral, self.init_gain)


class UnconditionalHead(nn.Module):
    """See `Unconditional`."""

    def __init__(self, num_features: int, spectral: bool, init_gain: float | None = None) -> None:
        super().__init__()
        logit = nn.Linear(num_features, 1)
        if init_gain is not None:
            nn.init.normal_(logit.weight, std=init_gain / num_features**0.5)
            nn.init.zeros_(logit.bias)
        self.logit = maybe_spectral_norm(logit, spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        return self.logit(features).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return raise_no_classifier("unconditional")


def maybe_spectral_norm(layer: nn.Module, spectral: bool) -> nn.Module:
    """The layer, with spectral normalisation where `spectral`."""
    return spectral_norm(layer) if spectral else layer


def raise_no_classifier(head: str) -> Tensor:
    """Raise ConfigError: `classify` of a head without a class classifier."""
    raise ConfigError(
        f"class logits of the head {head}", "a head with a classifier", "set game.head=auxiliary"
    )
