"""Least squares (LSGAN): regression of the logits to targets in place of classification."""

from dataclasses import dataclass
from typing import ClassVar

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.interfaces import LogitScale, Objective
from sparring.core.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class LeastSquares(Objective):
    """Squared distance of the logits to their targets.

        L_D = 1/2 E_x (D(x) - b)^2 + 1/2 E_z (D(G(z)) - a)^2        L_G = 1/2 E_z (D(G(z)) - c)^2

    With b - c = 1 and b - a = 2 the generator minimises a Pearson chi^2 divergence (sec. 3.2.2); c = b makes the target of
    generated samples that of real ones.

    References:
        Mao et al. 2017, "Least squares generative adversarial networks", arXiv 1611.04076, Eq. 2 and Eq. 9
        (the 0-1 coding, our default).

    Arguments:
        a: target of generated samples for the discriminator.
        b: target of real samples.
        c: target of generated samples for the generator.

    Shape: both terms give one value a sample (b,).
    """

    logit_scale: ClassVar[LogitScale] = LogitScale(0.5, 4.0)
    generator_lost_above: ClassVar[float | None] = 0.4

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ConfigError(
                f"least squares with a = b = {self.a}",
                "two different targets",
                "a = 0, b = 1, c = 1 is usual",
            )

    def discriminator(self, batch: AdversarialBatch) -> PerSample:
        return ((batch.real_logits - self.b).square() + (batch.fake_logits - self.a).square()) / 2

    def generator(self, batch: AdversarialBatch) -> PerSample:
        return (batch.fake_logits - self.c).square() / 2
