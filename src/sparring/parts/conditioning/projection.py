"""Projection head: the inner product of the label's embedding and the features, added to the logit."""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.core.shapes import Features, Labels, Logits
from sparring.parts.conditioning.unconditional import maybe_spectral_norm, raise_no_classifier
from sparring.parts.networks.layers.label_embedding import require_classes, require_labels


@dataclass(frozen=True, kw_only=True)
class Projection:
    """An inner product of the features and an embedding of the label, added to an unconditional logit.

    The usual head for many classes.

        D(x, y) = V_y . f(x) + psi(f(x))        psi linear

    The form follows from the log-ratio of two log-linear class posteriors.

    Deviation: V starts at a standard deviation of 1/sqrt(d), so that the class term starts about as large as
    psi.

    References:
        Miyato & Koyama 2018, "cGANs with projection discriminator", arXiv 1802.05637, Eq. 3.

    Shape: features (b, d) and labels (b,) to logits (b,).
    """

    def build(self, num_features: int, classes: int, spectral: bool = False) -> nn.Module:
        require_classes(classes, "projection")
        return ProjectionHead(num_features, classes, spectral)


class ProjectionHead(nn.Module):
    """See `Projection`."""

    def __init__(self, num_features: int, classes: int, spectral: bool) -> None:
        super().__init__()
        embed = nn.Embedding(classes, num_features)
        nn.init.normal_(embed.weight, std=num_features**-0.5)
        self.embed = maybe_spectral_norm(embed, spectral)
        self.psi = maybe_spectral_norm(nn.Linear(num_features, 1), spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        label = self.embed(require_labels(y, "discriminator"))
        return (label * features).sum(1) + self.psi(features).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return raise_no_classifier("projection")
