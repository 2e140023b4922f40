"""Model: the abstract base class of what is kept of a game after training."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from sparring.core.game import ClassifierLike
from sparring.core.shapes import SampleSpec

CHANNEL_NAMES = {1: "grey", 3: "colour", 4: "colour with transparency"}


class CardLines(NamedTuple):
    """What a model card says of a kind of model.

    pipeline_tag: the task's name on the Hugging Face hub.
    description: one sentence on inputs or outputs.
    usage: lines of Python, after `import sparring`.
    caption: of the preview image; empty for none.
    """

    pipeline_tag: str
    description: str
    usage: list[str]
    caption: str = ""


class Model(nn.Module, ABC):
    """A trained network with all that its use needs: a generator, a translator, a classifier.

    A new kind of model derives from this class in a file of its own. How it is previewed during training and how it is
    exported stands in tables by `kind`: `training/previews.PREVIEWS` and `export/graph.GRAPHS`.

    `kind`: tag of the class in those tables and in the explorer.
    `summary`, `command`: what a user is told who wants something else of it, and the command line to use.
    `has_samples`: whether it makes samples that metrics can be computed of.
    `spec`: the samples that it was trained on.
    """

    kind: ClassVar[str]
    summary: ClassVar[str]
    command: ClassVar[str]
    has_samples: ClassVar[bool] = True
    spec: SampleSpec

    @abstractmethod
    def for_inference(self, seed: int) -> "Model":
        """A copy in evaluation mode. Random numbers that the copy needs are drawn with `seed`."""

    @abstractmethod
    def card_lines(self) -> CardLines:
        """The lines of a model card that depend on the kind of model."""

    def facts(self) -> dict[str, Any]:
        """Numbers and names for exported metadata and the explorer's page, as JSON."""
        return {}

    def classifier(self) -> ClassifierLike | None:
        """What computes log p(y|x) with this model; None where it can't."""
        return None

    def set_class_frequencies(self, frequencies: Tensor) -> None:
        """Take note of the share of each class in the training data (classes,), where the model uses it."""


def describe_size(spec: SampleSpec) -> str:
    """Size of the samples in words.

    >>> describe_size(SampleSpec(shape=(3, 32, 48)))
    'images of 48 x 32 pixels'
    """
    shape = spec.shape
    return (
        f"images of {shape[2]} x {shape[1]} pixels" if spec.is_image else f"points of {shape[0]} coordinates"
    )
