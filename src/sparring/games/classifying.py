"""Classes by likelihood: a model that generates each class can also tell which one a sample is of.

log p(y|x) = log p(x|y) + log p(y) - log sum_y' p(x|y') p(y')
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring import keyed
from sparring.game import Classifies
from sparring.games.classification import Classification, Kept
from sparring.games.coding import Itself
from sparring.games.generation import Generation
from sparring.shapes import Sample


@dataclass(frozen=True, kw_only=True)
class ByLikelihood:
    """A conditional variational autoencoder as a classifier, by importance samples of log p(x|y).

    References: Kingma et al. 2014, "Semi-supervised learning with deep generative models", arXiv:1406.5298, sec. 3.1 (a model with
    codes for each class); Burda et al. 2016, arXiv:1509.00519, eq. 8 (importance samples).

    Arguments:
        generation: with encoder and likelihood, told the labels.
        samples: codes for each sample and class, the same random numbers for all classes. One gives the bound.
        seed: of these, and of what a Bernoulli model draws from grey.
    """

    generation: Generation
    samples: int = 32
    seed: int = 0

    @torch.no_grad()
    def log_probabilities(self, x: Sample) -> Tensor:
        encoder, decoder = self.generation.coders()
        draws = keyed.Draws(self.seed, (0,), len(x), device=x.device)
        given = decoder.likelihood.given(x, draws)
        joint = []
        for label, share in enumerate(self.generation.shares.double()):
            y = torch.full((len(x),), label, device=x.device)
            posterior = encoder.distribution(given, y)
            z = posterior.sample(draws, "classify", self.samples)
            weights = decoder.explain(given, z, y) + posterior.prior_log_prob(z) - posterior.log_prob(z)
            joint.append(weights.double().logsumexp(0) - math.log(self.samples) + share.log())
        return torch.stack(joint, 1).log_softmax(1)


def classifier(kept: Kept) -> Classifies | None:
    """What of this tells classes; None where it can't."""
    if isinstance(kept, Classification):
        return kept
    if not isinstance(kept, Generation) or kept.spec.classes < 2:
        return None
    if isinstance(kept.generator, Classifies):
        return kept.generator
    if kept.encoder is None or isinstance(kept.coders()[1].likelihood, Itself):
        return None
    return ByLikelihood(generation=kept)
