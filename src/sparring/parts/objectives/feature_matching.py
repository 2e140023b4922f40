"""Feature matching: the generator matches the mean of the discriminator's features."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import PerSample
from sparring.parts.objectives.minimax import check_smoothing, cross_entropy


@dataclass(frozen=True, kw_only=True)
class FeatureMatching(Objective):
    """The generator minimises the distance between the mean features of real and generated samples.

        L_G = || E_x f(x) - E_z f(G(z)) ||^2        with f the discriminator's features; L_D as
            `NonSaturating`

    It keeps the generator from overtraining on the current discriminator. Proposed for semi-supervised learning; samples look
    smoother than those of other objectives.

    Deviation: the means are over the micro-batch of this process.

    References:
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.1.

    Arguments:
        smoothing: s of the discriminator's one-sided label smoothing (sec. 3.4); default 0.

    Shape: both terms give one value a sample (b,); the generator's is the same for all samples.
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(0.0, 1.0)

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_smoothing(self.smoothing)

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return cross_entropy(batch.real_logits, batch.fake_logits, self.smoothing)

    def generator(self, batch: AdversarialBatch) -> PerSample:
        real, fake = batch.real_features.detach().float(), batch.fake_features.float()
        distance = (real.mean(0) - fake.mean(0)).square().sum()
        return distance.expand(len(fake))
