"""Non-saturating loss: the generator maximises log D(G(z))."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import PerSample
from sparring.parts.objectives.minimax import check_smoothing, cross_entropy


@dataclass(frozen=True, kw_only=True)
class NonSaturating(Objective):
    """The discriminator's cross-entropy; a generator whose gradient does not vanish when the discriminator wins.

        L_D = -E_x log D(x) - E_z log(1 - D(G(z)))        L_G = -E_z log D(G(z))

    The same fixed point as `Minimax`, but no zero-sum game. The default of most recipes.

    Deviation: written in logits through softplus.

    References:
        Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661, sec. 3, last paragraph.
        Goodfellow 2016, "NIPS 2016 tutorial", arXiv 1701.00160, sec. 3.2.3.
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.4 (smoothing).

    Arguments:
        smoothing: s of one-sided label smoothing: the target for real samples is 1 - s, for generated ones 0.
            Default 0; the 2016 paper uses 0.1.

    Shape: both terms give one value a sample (b,).
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(0.0, 1.0)
    generator_lost_above: ClassVar[float | None] = 6.0

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_smoothing(self.smoothing)

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return cross_entropy(batch.real_logits, batch.fake_logits, self.smoothing)

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return F.softplus(-batch.fake_logits)
