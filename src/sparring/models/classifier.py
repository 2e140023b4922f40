"""Classifier models: log p(y|x) from a discriminative network, or from a generative model by Bayes' rule.

log p(y|x) = log p(x|y) + log p(y) - log sum_y' p(x|y') p(y')
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.game import ClassifierLike
from sparring.core.shapes import Sample, SampleSpec
from sparring.models.autoencoder import IdentityLikelihood
from sparring.models.generator import GeneratorModel
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import DiscriminatorNetwork


class ClassifierModel(nn.Module):
    """From samples to the probabilities of their classes: log p(y|x) = log softmax(W f(x) + b).

    Arguments:
        network: of the body f; None is f(x) = x.
        spec: of the samples, with the classes.

    W and b begin at 0: all classes are equally likely then.
    """

    def __init__(self, network: DiscriminatorNetwork | None, spec: SampleSpec) -> None:
        super().__init__()
        body: Any = nn.Flatten() if network is None else network.build(spec)
        self.body, self.spec = body, spec
        self.head = nn.Linear(spec.numel if network is None else body.num_features, spec.num_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Sample) -> Tensor:
        """Logits (b, classes)."""
        logits: Tensor = self.head(self.body(x))
        return logits

    def log_probabilities(self, x: Sample) -> Tensor:
        return self(x).float().log_softmax(1)

    def for_inference(self, seed: int) -> "ClassifierModel":
        """A copy in evaluation mode."""
        return copy.deepcopy(self).eval()

    def templates(self) -> Tensor:
        """What speaks for each class (classes, *sample): the gradient of its logit less the mean one, at mid-grey. In a linear model
        these are the weights. Scaled to a greatest value of 1.
        """
        with torch.enable_grad():
            x = torch.zeros(self.spec.num_classes, *self.spec.shape, device=self.head.weight.device)
            logits = self(x.requires_grad_()).float()
            own = (logits - logits.mean(1, keepdim=True)).diagonal().sum()
            slopes = torch.autograd.grad(own, x)[0]
        return slopes / slopes.abs().amax().clamp_min(1e-12)


Model = GeneratorModel | ClassifierModel | TranslatorModel


@dataclass(frozen=True, kw_only=True)
class GenerativeClassifier:
    """A conditional variational autoencoder as a classifier, by importance samples of log p(x|y).

    References: Kingma et al. 2014, "Semi-supervised learning with deep generative models", arXiv:1406.5298, sec. 3.1 (a model with
    codes for each class); Burda et al. 2016, arXiv:1509.00519, eq. 8 (importance samples).

    Arguments:
        generation: with encoder and likelihood, told the labels.
        samples: codes for each sample and class, the same random numbers for all classes. One gives the bound.
        seed: of these, and of what a Bernoulli model draws from grey.
    """

    generation: GeneratorModel
    samples: int = 32
    seed: int = 0

    @torch.no_grad()
    def log_probabilities(self, x: Sample) -> Tensor:
        encoder, decoder = self.generation.encoder_decoder()
        draws = rng.KeyedRandom(self.seed, (0,), len(x), device=x.device)
        given = decoder.likelihood.prepare_data(x, draws)
        joint = []
        for label, share in enumerate(self.generation.shares.double()):
            y = torch.full((len(x),), label, device=x.device)
            posterior = encoder.distribution(given, y)
            z = posterior.sample(draws, "classify", self.samples)
            weights = (
                decoder.log_likelihood(given, z, y) + posterior.prior_log_prob(z) - posterior.log_prob(z)
            )
            joint.append(weights.double().logsumexp(0) - math.log(self.samples) + share.log())
        return torch.stack(joint, 1).log_softmax(1)


def as_classifier(kept: Model) -> ClassifierLike | None:
    """What of this tells classes; None where it can't."""
    if isinstance(kept, ClassifierModel):
        return kept
    if not isinstance(kept, GeneratorModel) or kept.spec.num_classes < 2:
        return None
    if isinstance(kept.generator, ClassifierLike):
        return kept.generator
    if kept.encoder is None or isinstance(kept.encoder_decoder()[1].likelihood, IdentityLikelihood):
        return None
    return GenerativeClassifier(generation=kept)
