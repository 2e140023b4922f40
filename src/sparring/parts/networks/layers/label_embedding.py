"""Label embedding: the class label of a generator as a learned vector appended to the latent."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError, DataError
from sparring.core.shapes import Labels


class LabelEmbedding(nn.Module):
    """Tells a generator its class: the latent with a learned vector a class behind it.

        z, y -> [z, V_y / |V_y|]

    Deviation: a learned vector in place of the one-hot label. Its length is held at 1, which is that of a one-hot
    label: longer ones drown the latent, and a class then looks always the same.

    References:
        Mirza & Osindero 2014, "Conditional generative adversarial nets", arXiv 1411.1784, sec. 3.2.

    Arguments:
        classes: number of labels; 0 leaves z as it is.
        width: length of the vector.

    Attributes:
        extra: values that it adds to z: `width`, or 0 without classes.

    Shape: (b, z) and (b,) to (b, z + extra).
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
    """The labels, or a DataError that says who is missing them."""
    if y is None:
        raise DataError(
            f"a conditional {role} got no labels",
            "one label a sample",
            "give labels, or train without classes",
        )
    return y


def require_classes(classes: int, head: str) -> None:
    """Raises ConfigError where a head that judges classes is built for data that has none."""
    if classes < 1:
        raise ConfigError(
            f"{head} conditioning with {classes} classes",
            "labelled data",
            "use the linear head, or label the data",
        )
