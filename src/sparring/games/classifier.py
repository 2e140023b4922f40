"""Discriminative classifier: logistic regression, or a network with a linear head, trained by cross-entropy.

    min_{W, b}  E[-log p(y|x)] + decay / 2 |W|^2,    p(y|x) = softmax(W f(x) + b)

Without a network f(x) = x: this is logistic regression, the partner of naive Bayes. Both divide the classes
by planes, but here the planes are chosen to divide the samples, there they follow from how the samples of
each class are distributed.

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
    """A classifier.

    Arguments:
        network: body of a discriminator, from samples to features; None takes the values themselves.
        decay: weight of the squared length of W (of n samples: a normal prior of variance 1 / (n decay)).
    """

    network: DiscriminatorNetwork | None = None
    weight_decay: schedule.Schedule = 1e-4

    def __post_init__(self) -> None:
        ends = (
            [self.weight_decay]
            if isinstance(self.weight_decay, int | float)
            else [self.weight_decay.start, self.weight_decay.end]
        )
        if min(ends) < 0:
            raise ConfigError(f"decay {self.weight_decay}", "0 or more", "1e-4 is usual")

    def build_model(self, spec: SampleSpec) -> ClassifierModel:
        """The classifier, untrained."""
        return ClassifierModel(self.network, spec)

    def build(self, spec: SampleSpec) -> "Classifier":
        """The game for samples of this kind."""
        if spec.num_classes < 2:
            raise ConfigError(
                f"a classifier for a set of {spec.num_classes} classes",
                "2 or more",
                "put the images of each class into a folder of its own, or choose a recipe that needs no labels",
            )
        return Classifier(self, spec)


class Classifier(Game):
    """The game of one player who makes nothing."""

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
        length = self.classification.head.weight.square().sum()
        decay = schedule.value_at(self.config.weight_decay, batch.images) / 2 * length
        right = (logits.detach().argmax(1) == y).float().mean()
        losses = {
            "classification": F.cross_entropy(logits, y, reduction="none"),
            "weight_decay": decay.expand(len(y)),
        }
        return Terms(losses, {"accuracy": right})
