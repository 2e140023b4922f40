"""Hinge loss: the discriminator's loss is zero outside a margin."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Hinge(Objective):
    """The discriminator's loss is zero for logits beyond a margin of 1; the generator's is linear.

        L_D = E_x max(0, 1 - D(x)) + E_z max(0, 1 + D(G(z)))        L_G = -E_z D(G(z))

    Usually combined with spectral normalisation or self-attention.

    References:
        Lim & Ye 2017, "Geometric GAN", arXiv 1705.02894, sec. 3.
        Miyato et al. 2018, "Spectral normalization for generative adversarial networks", arXiv 1802.05957,
            Eq. 16-17.

    Shape: both terms give one value a sample (b,).

    `generator_lost_above`: -D(G(z)) is about 1 when all generated samples are beyond the margin.
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(0.0, 2.0)
    generator_lost_above: ClassVar[float | None] = 0.9

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return F.relu(1 - batch.real_logits) + F.relu(1 + batch.fake_logits)

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return -batch.fake_logits
