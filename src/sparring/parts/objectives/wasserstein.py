"""Wasserstein loss: the critic estimates the earth mover's distance between real and generated samples."""

from dataclasses import dataclass

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import Objective
from sparring.core.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Wasserstein(Objective):
    """The Kantorovich-Rubinstein dual, whose critic must be kept 1-Lipschitz by something else.

        L_D = E_z D(G(z)) - E_x D(x)        L_G = -E_z D(G(z))

    Alone it has no optimum: add `penalties.OneCentred` (WGAN-GP), `penalties.WeightClip` (2017's own) or
    spectral normalisation, and give the critic several turns.

    References:
        Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", arXiv 1701.07875, Eq. 2 and Algorithm 1.

    Shape: both terms give one value a sample (b,).
    """

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return batch.fake_logits - batch.real_logits

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return -batch.fake_logits
