"""Discriminative classifier: logistic regression, or a network with a linear head, trained by cross-entropy.

    min_{W, b}  E[-log p(y|x)] + weight_decay / 2 |W|^2,    p(y|x) = softmax(W f(x) + b)

Without a network f(x) = x: logistic regression, the discriminative counterpart of naive Bayes. Both have linear decision
boundaries; here they are fitted to separate the samples, there they follow from the distribution of each class.

References: Cox 1958, "The regression analysis of binary sequences"; Ng & Jordan 2001, "On discriminative vs.
generative classifiers: a comparison of logistic regression and naive Bayes"; Zheng et al. 2023,
arXiv:2302.02334 (several classes).
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import SampleSpec
from sparring.models.classifier import ClassifierModel
from sparring.parts.networks import DiscriminatorNetwork
from sparring.parts.networks.layers.label_embedding import require_labels


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """A network with a linear head, trained by cross-entropy.

    Arguments:
        network: settings of a discriminator's body, from samples to features; None uses the values themselves.
        weight_decay: weight of |W|^2 / 2 (for n samples: a normal prior of variance 1 / (n weight_decay)).

    Raises:
        ConfigError: a negative weight_decay.
    """

    network: DiscriminatorNetwork | None = None
    weight_decay: schedule.Schedule = 1e-4

    def __post_init__(self) -> None:
        if min(schedule.endpoints(self.weight_decay)) < 0:
            raise ConfigError(f"weight_decay {self.weight_decay}", "0 or more", "1e-4 is usual")

    def build_model(self, spec: SampleSpec) -> ClassifierModel:
        """The untrained classifier."""
        return ClassifierModel(self.network, spec)

    def build(self, spec: SampleSpec) -> "Classifier":
        """The game for samples of this shape.

        Raises:
            ConfigError: data with fewer than 2 classes.
        """
        if spec.num_classes < 2:
            raise ConfigError(
                f"a classifier for a set of {spec.num_classes} classes",
                "2 or more",
                "put the images of each class into a folder of its own, or choose a recipe that needs no labels",
            )
        return Classifier(self, spec)


class Classifier(Game):
    """Trains a classifier by cross-entropy."""

    def __init__(self, config: ClassifierConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config = config
        self.classification = config.build_model(spec)

    @property
    def model(self) -> ClassifierModel:
        return self.classification

    def players(self) -> dict[str, nn.Module]:
        return {"classifier": self.classification}

    def turns(self) -> list[Turn]:
        return [Turn(name="classifier", players=("classifier",), terms=self._terms)]

    def _terms(self, batch: Batch) -> Terms:
        y = require_labels(batch.y, "classifier")
        logits = self.classification(batch.x).float()
        squared_norm = self.classification.head.weight.square().sum()
        decay = schedule.value_at(self.config.weight_decay, batch.images) / 2 * squared_norm
        accuracy = (logits.detach().argmax(1) == y).float().mean()
        losses = {
            "classification": F.cross_entropy(logits, y, reduction="none"),
            "weight_decay": decay.expand(len(y)),
        }
        return Terms(losses, {"accuracy": accuracy})
