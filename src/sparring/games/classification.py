"""What is kept of a game that learns classes and nothing else: there is nothing to sample from."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sparring.games.generation import Generation
from sparring.games.translation import Translation
from sparring.networks import DiscriminatorNetwork
from sparring.shapes import Sample, Spec


class Classification(nn.Module):
    """From samples to the probabilities of their classes: log p(y|x) = log softmax(W f(x) + b).

    Arguments:
        network: of the body f; None is f(x) = x.
        spec: of the samples, with the classes.

    W and b begin at 0: all classes are equally likely then.
    """

    def __init__(self, network: DiscriminatorNetwork | None, spec: Spec) -> None:
        super().__init__()
        body: Any = nn.Flatten() if network is None else network.build(spec)
        self.body, self.spec = body, spec
        self.head = nn.Linear(spec.size if network is None else body.num_features, spec.classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Sample) -> Tensor:
        """Logits (b, classes)."""
        logits: Tensor = self.head(self.body(x))
        return logits

    def log_probabilities(self, x: Sample) -> Tensor:
        return self(x).float().log_softmax(1)

    def settled(self, seed: int) -> "Classification":
        """A copy in evaluation mode."""
        return copy.deepcopy(self).eval()

    def templates(self) -> Tensor:
        """What speaks for each class (classes, *sample): the slope of its logit less the mean one, at mid-grey. In a linear model
        these are the weights. Scaled to a greatest value of 1.
        """
        with torch.enable_grad():
            x = torch.zeros(self.spec.classes, *self.spec.shape, device=self.head.weight.device)
            logits = self(x.requires_grad_()).float()
            own = (logits - logits.mean(1, keepdim=True)).diagonal().sum()
            slopes = torch.autograd.grad(own, x)[0]
        return slopes / slopes.abs().amax().clamp_min(1e-12)


Kept = Generation | Classification | Translation
