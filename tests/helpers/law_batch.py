"""Adversarial batches of given samples and a given critic, for the laws: no network in between."""

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.game import Batch
from sparring.core.rng import KeyedRandom


class Critic(nn.Module):
    """Features are the flat sample, or `embed` of it; the logit is `score` of the features, by default their first value."""

    def __init__(self, score=None, embed=None) -> None:
        super().__init__()
        self.score, self.embed = score or (lambda f: f[:, 0]), embed or (lambda x: x.flatten(1))

    def features(self, x: Tensor) -> Tensor:
        return self.embed(x)

    def joint_features(self, *parts: Tensor) -> list[Tensor]:
        return list(self.features(torch.cat(parts)).split([len(part) for part in parts]))

    def head(self, features: Tensor, y: Tensor | None) -> Tensor:
        return self.score(features)

    def classify(self, features: Tensor) -> Tensor:
        return features


def linear(w: Tensor) -> Critic:
    """The critic D(x) = w . x."""
    return Critic(lambda f: f @ w.flatten())


def batch_of(x: Tensor, x_fake: Tensor, critic: nn.Module | None = None, **options) -> AdversarialBatch:
    """Real samples `x` and generated samples `x_fake`."""
    y, images, seed = options.pop("y", None), options.pop("images", 0), options.pop("seed", 0)
    batch = Batch(x=x, y=y, rng=KeyedRandom(seed, (0, 0, 0), len(x)), images=images, step=0)
    augment = options.pop("augment", lambda samples, stream: samples)
    return AdversarialBatch(batch, lambda: x_fake, critic or Critic(), augment, **options)


def batch_of_logits(real: Tensor, fake: Tensor) -> AdversarialBatch:
    """Samples (b,) that are their own logits."""
    return batch_of(real[:, None], fake[:, None])


def leaf(*values: float) -> Tensor:
    return torch.tensor(values, requires_grad=True)
