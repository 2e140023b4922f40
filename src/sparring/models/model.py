"""Model: the abstract base class of what is kept of a game after training."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from sparring.core.game import ClassifierLike
from sparring.core.shapes import SampleSpec


class Model(nn.Module, ABC):
    """A trained network with all that its use needs: a generator, a translator, a classifier.

    A new kind of model derives from this class in a file of its own. How it is previewed during training and how it is
    exported stands in tables by `kind`: `training/previews.PREVIEWS` and `export/graph.GRAPHS`.

    `kind`: tag of the class in those tables, in records and in files.
    `spec`: the samples that it was trained on.
    """

    kind: ClassVar[str]
    spec: SampleSpec

    @abstractmethod
    def for_inference(self, seed: int) -> "Model":
        """A copy in evaluation mode. Random numbers that the copy needs are drawn with `seed`."""

    def classifier(self) -> ClassifierLike | None:
        """What computes log p(y|x) with this model; None where it can't."""
        return None

    def set_class_frequencies(self, frequencies: Tensor) -> None:
        """Take note of the share of each class in the training data (classes,), where the model uses it."""
