"""Relativistic pairing loss: logits of real and generated samples are compared in pairs."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Relativistic(Objective):
    """The discriminator classifies which sample of a pair is the real one; the generator opposes it.

        L_D = E_{x,z} softplus(-(D(x) - D(G(z))))        L_G = E_{x,z} softplus(-(D(G(z)) - D(x)))

    Each generated sample is compared with a real one, so the loss has no minima with dropped modes. With R1 and R2
    (`penalties.R1`, `penalties.R2`) it converges and is R3GAN's loss; without them it oscillates.

    Deviation: R3GAN prints f(D(G(z)) - D(x)) with f(t) = -log(1 + e^-t) and a discriminator that is high on
    generated samples; here, as everywhere in this library, real is high. The generator is the non-saturating
    one.

    References:
        Jolicoeur-Martineau 2019, "The relativistic discriminator: a key element missing from standard GAN",
            arXiv 1807.00734; 2020, "On relativistic f-divergences", arXiv 1901.02474 (the paired form).
        Huang et al. 2024, "The GAN is dead; long live the GAN!", arXiv 2501.05441, Eq. 2.

    Shape: both terms give one value a pair (b,).
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(gain=4.0)
    generator_lost_above: ClassVar[float | None] = 6.0

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return F.softplus(batch.fake_logits - batch.real_logits)

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return F.softplus(batch.real_logits - batch.fake_logits)
