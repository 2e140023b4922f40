"""Auxiliary head of AC-GAN: one logit for real or generated, and a class classifier beside it."""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.core.shapes import Features, Labels, Logits
from sparring.parts.conditioning.unconditional import maybe_spectral_norm
from sparring.parts.networks.layers.label_embedding import require_classes


@dataclass(frozen=True, kw_only=True)
class Auxiliary:
    """An unconditional logit, and a classifier of the label on the same features.

        D(x) = w . f(x) + c        log P(C | x) = log softmax(U f(x) + d)

    The classification losses are `objectives.auxiliary_real_loss` and `objectives.auxiliary_fake_loss`.

    References:
        Odena, Olah, Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs", arXiv
            1610.09585, Eq. 2-3.

    Shape: features (b, d) to logits (b,); `classify` to (b, classes).
    """

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module:
        require_classes(classes, "auxiliary")
        return AuxiliaryHead(num_features, classes, spectral)


class AuxiliaryHead(nn.Module):
    """See `Auxiliary`."""

    def __init__(self, num_features: int, classes: int, spectral: bool) -> None:
        super().__init__()
        self.logit = maybe_spectral_norm(nn.Linear(num_features, 1), spectral)
        self.classes = maybe_spectral_norm(nn.Linear(num_features, classes), spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        return self.logit(features).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return self.classes(features)
