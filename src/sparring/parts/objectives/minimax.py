"""Minimax loss of 2014: the discriminator's cross-entropy, and a generator that minimises its negative."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import Logits, PerSample


@dataclass(frozen=True, kw_only=True)
class Minimax(Objective):
    r"""The value function of the first GAN, whose generator saturates.

    With D = sigmoid(logit), both players share V, which D maximises and G minimises:

        V = E_x log D(x) + E_z log(1 - D(G(z)))

    For teaching and theory: when D wins, the generator's gradient vanishes. For training use `NonSaturating`.

    Deviation: written in logits through softplus, so that no logarithm of zero is taken; the generator's term omits log D(x),
    which is constant in G.

    References:
        Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661, Eq. 1.
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.4 (smoothing).

    Arguments:
        smoothing: s of one-sided label smoothing: the target for real samples is 1 - s, for generated ones 0.
            Default 0, as in 2014; the 2016 paper uses 0.1.

    Shape: both terms give one value a sample (b,).
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(0.0, 1.0)
    generator_lost_above: ClassVar[float | None] = -0.02

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_smoothing(self.smoothing)

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return cross_entropy(batch.real_logits, batch.fake_logits, self.smoothing)

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return -F.softplus(batch.fake_logits)


def cross_entropy(real_logits: Logits, fake_logits: Logits, smoothing: float = 0.0) -> PerSample:
    """-(1 - s) log D(x) - s log(1 - D(x)) - log(1 - D(G(z))), one value a sample (b,).

    By softplus(t) = t + softplus(-t) the two terms of a real sample are softplus(-t) + s t.

    >>> import torch
    >>> cross_entropy(torch.zeros(1), torch.zeros(1))
    tensor([1.3863])
    """
    return F.softplus(-real_logits) + smoothing * real_logits + F.softplus(fake_logits)


def check_smoothing(smoothing: float) -> None:
    """Raises ConfigError unless the smoothed target of real samples stays above 1/2."""
    if not 0 <= smoothing < 0.5:
        raise ConfigError(f"smoothing {smoothing}", "0 <= smoothing < 0.5", "0.1 is usual; 0 turns it off")
