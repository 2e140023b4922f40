"""ClassifierModel: log p(y|x) from a discriminative network."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core.game import ClassifierLike
from sparring.core.shapes import Sample, SampleSpec
from sparring.models.model import CardLines, Model, describe_size
from sparring.parts.networks import DiscriminatorNetwork


class ClassifierModel(Model):
    """Class probabilities of samples: log p(y|x) = log softmax(W f(x) + b).

    Arguments:
        network: settings of the body f; None is f(x) = x.
        spec: of the samples, with their number of classes.

    W and b are initialised with 0, which makes all classes equally likely.

    Shape: (b, *sample) to logits (b, classes).
    """

    kind = "classifier"
    summary = "a classifier, which has no samples"
    command = "use `sparring classify`, or train naive_bayes, its generative counterpart"
    has_samples = False

    def __init__(self, network: DiscriminatorNetwork | None, spec: SampleSpec) -> None:
        super().__init__()
        body: Any = nn.Flatten() if network is None else network.build(spec)
        num_features = spec.numel if network is None else body.num_features
        self.body, self.spec = body, spec
        self.head = nn.Linear(num_features, spec.num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Sample) -> Tensor:
        """Logits (b, classes)."""
        logits: Tensor = self.head(self.body(x))
        return logits

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes)."""
        return self(x).float().log_softmax(1)

    def for_inference(self, seed: int) -> "ClassifierModel":
        """A copy in evaluation mode."""
        return copy.deepcopy(self).eval()

    def card_lines(self) -> CardLines:
        usage = ['run = sparring.load("hf://USER/NAME")', "probabilities = run.classify(images)"]
        return CardLines("image-classification", f"Classifies {describe_size(self.spec)}.", usage)

    def classifier(self) -> ClassifierLike:
        return self

    def templates(self) -> Tensor:
        """The gradient of each class's logit minus the mean logit, at a sample of zeros (classes, *sample). Of a linear model
        these are the weights. Scaled to a largest absolute value of 1.
        """
        with torch.enable_grad():
            x = torch.zeros(self.spec.num_classes, *self.spec.shape, device=self.head.weight.device)
            logits = self(x.requires_grad_()).float()
            own = (logits - logits.mean(1, keepdim=True)).diagonal().sum()
            gradients = torch.autograd.grad(own, x)[0]
        return gradients / gradients.abs().amax().clamp_min(1e-12)
