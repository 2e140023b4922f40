"""Wasserstein loss: the critic estimates the earth mover's distance between the real and the generated distribution."""

from dataclasses import dataclass

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import Objective
from sparring.core.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Objective):
    """The Kantorovich-Rubinstein dual of the earth mover's distance; the critic must be 1-Lipschitz.

        L_D = E_z D(G(z)) - E_x D(x)        L_G = -E_z D(G(z))

    Without a Lipschitz constraint it has no optimum: add `penalties.GradientPenalty` (WGAN-GP), `penalties.WeightClip` (the
    2017 paper's) or spectral normalisation, and update the critic several times per step.

    References:
        Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", arXiv 1701.07875, Eq. 2 and Algorithm 1.

    Shape: both terms give one value a sample (b,).
    """

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return batch.fake_logits - batch.real_logits

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return -batch.fake_logits
