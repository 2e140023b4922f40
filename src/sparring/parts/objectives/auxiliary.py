"""Auxiliary classification losses of AC-GAN, which a game adds to any objective when its head is auxiliary.

Both players get both: the discriminator learns to name the classes (of real and of generated samples), and
the generator to make samples that it names right.

    L_C = -E log P(C = y | x) - E log P(C = y | G(z, y))

References: Odena, Olah, Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs", arXiv
1610.09585, Eq. 3.
"""

import torch.nn.functional as F
from torch import Tensor

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import DataError
from sparring.core.shapes import PerSample


def auxiliary_real_loss(batch: AdversarialBatch) -> PerSample:
    """-log P(C = y | x): cross-entropy of the real samples' classes, one value a sample (b,)."""
    return F.cross_entropy(batch.real_class_logits, _labels(batch), reduction="none")


def auxiliary_fake_loss(batch: AdversarialBatch) -> PerSample:
    """-log P(C = y | G(z, y)): cross-entropy of the classes that were asked for, one value a sample (b,)."""
    return F.cross_entropy(batch.fake_class_logits, _labels(batch), reduction="none")


def _labels(batch: AdversarialBatch) -> Tensor:
    if batch.y is None:
        raise DataError(
            "an auxiliary class term without labels",
            "data with labels",
            "sort it into sub-folders, one a class",
        )
    return batch.y
