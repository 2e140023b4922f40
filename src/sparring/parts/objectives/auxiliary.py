"""Auxiliary classification losses of AC-GAN, which a game adds to any objective when its head is auxiliary.

Both players minimise it: the discriminator learns to classify real and generated samples, and the generator to make samples
that are classified as their label.

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
    """-log P(C = y | G(z, y)): cross-entropy of the labels that the samples are conditioned on, one value a sample (b,)."""
    return F.cross_entropy(batch.fake_class_logits, _labels(batch), reduction="none")


def _labels(batch: AdversarialBatch) -> Tensor:
    if batch.y is None:
        raise DataError(
            "an auxiliary classification loss without labels",
            "labelled data",
            "sort the data into sub-folders, one per class",
        )
    return batch.y
