"""Label embedding: the class label of a generator as a learned vector appended to the latent."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError, DataError
from sparring.core.shapes import Labels


class LabelEmbedding(nn.Module):
    """Concatenates a normalised embedding of the label to the latent.

        z, y -> [z, V_y / |V_y|]

    Deviation: a learned vector in place of the one-hot label. It has length 1, as a one-hot
    label has: longer vectors dominate the latent, and samples of a class lose their diversity.

    References:
        Mirza & Osindero 2014, "Conditional generative adversarial nets", arXiv 1411.1784, sec. 3.2.

    Arguments:
        classes: number of classes; 0 returns z unchanged.
        width: size of the embedding.

    Attributes:
        embedding_size: values concatenated to z: `width`, or 0 without classes.

    Shape: (b, z) and (b,) to (b, z + embedding_size).
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        if classes < 0 or width < 1:
            raise ConfigError(
                f"{classes} classes, {width} values each", "classes >= 0 and width >= 1", "fix the numbers"
            )
        self.embedding_size = width if classes else 0
        self.embed = nn.Embedding(classes, width) if classes else None

    def forward(self, z: Tensor, y: Labels | None) -> Tensor:
        if self.embed is None:
            return z
        vectors = F.normalize(self.embed(require_labels(y, "generator")), dim=1)
        return torch.cat([z, vectors.to(z.dtype)], dim=1)


def require_labels(y: Labels | None, role: str) -> Tensor:
    """The labels; raises DataError where there are none."""
    if y is None:
        raise DataError(
            f"a conditional {role} without labels",
            "one label per sample",
            "label the data, or train without classes",
        )
    return y


def require_classes(classes: int, head: str) -> None:
    """Raises ConfigError where a conditional head is built for data without classes."""
    if classes < 1:
        raise ConfigError(
            f"the head {head} for data with {classes} classes",
            "labelled data",
            "set game.head=unconditional, or label the data",
        )
