"""A play between given samples and a given critic, for laws: no network in between."""

import torch
from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.game import Batch
from sparring.core.rng import KeyedRandom


class Critic(nn.Module):
    """features are the flat sample, or `embed` of it; the logit is `judge` of the features."""

    def __init__(self, judge=None, embed=None) -> None:
        super().__init__()
        self.judge, self.embed = judge or (lambda f: f[:, 0]), embed or (lambda x: x.flatten(1))

    def features(self, x: Tensor) -> Tensor:
        return self.embed(x)

    def head(self, features: Tensor, y: Tensor | None) -> Tensor:
        return self.judge(features)

    def classify(self, features: Tensor) -> Tensor:
        return features


def linear(w: Tensor) -> Critic:
    return Critic(lambda f: f @ w.flatten())


def play_of(x: Tensor, x_fake: Tensor, critic: nn.Module | None = None, **options) -> AdversarialBatch:
    """`x` against `x_fake`; with the default critic the first value of a sample is its logit."""
    y, images, seed = options.pop("y", None), options.pop("images", 0), options.pop("seed", 0)
    batch = Batch(x=x, y=y, rng=KeyedRandom(seed, (0, 0, 0), len(x)), images=images, step=0)
    view = options.pop("view", lambda samples, stream: samples)
    options.setdefault("generating", True)
    return AdversarialBatch(batch, lambda z, y: x_fake, critic or Critic(), 2, view, **options)


def duel(real: Tensor, fake: Tensor) -> AdversarialBatch:
    """A play with these logits (b,)."""
    return play_of(real[:, None], fake[:, None])


def leaf(*values: float) -> Tensor:
    return torch.tensor(values, requires_grad=True)
