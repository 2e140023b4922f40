"""The projection head: the label's vector is an inner product away from the features."""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.conditioning.labels import require_classes, require_labels
from sparring.conditioning.linear import no_classifier, normalised
from sparring.shapes import Features, Labels, Logits


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The conditional head of choice for many classes.

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
        self.embed = normalised(embed, spectral)
        self.psi = normalised(nn.Linear(num_features, 1), spectral)

    def forward(self, features: Features, y: Labels | None) -> Logits:
        label = self.embed(require_labels(y, "discriminator"))
        return (label * features).sum(1) + self.psi(features).squeeze(1)

    def classify(self, features: Features) -> Tensor:
        return no_classifier("projection")
