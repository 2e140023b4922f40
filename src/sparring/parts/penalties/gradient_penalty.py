"""Gradient penalty of WGAN-GP: the critic's gradient norm is pulled towards one between real and generated
samples.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import PerSample
from sparring.parts.penalties.r1_r2 import check_penalty, input_gradient


@dataclass(frozen=True, kw_only=True)
class GradientPenalty:
    """A penalty that keeps the critic's gradient norm near 1 between real and generated samples.

        GP = weight E (|grad D(x_hat)| - 1)^2        x_hat = e x + (1 - e) G(z),  e ~ U[0, 1] a sample

    Not for critics with batch normalisation.

    Deviation: the samples are interpolated as the critic sees them (after augmentation and packing).

    References:
        Gulrajani et al. 2017, "Improved training of Wasserstein GANs", arXiv 1704.00028, Eq. 3 and Algorithm
            1;
        one-sided: sec. 4, "Two-sided penalty".

    Arguments:
        weight: lambda (default 10, as in the paper).
        one_sided: penalise gradient norms above 1 only.
        every: steps between applications.

    Shape: one value a sample (b,), with the weight in it, without the factor `every`.
    """

    weight: Schedule = 10.0
    one_sided: bool = False
    every: int = 1
    needs_input_grad: ClassVar[bool] = False
    needs_weight_average: ClassVar[bool] = False
    logit_decay: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        mixed = interpolate_real_fake(batch)
        return value_at(self.weight, batch.images) * gradient_norm_penalty(batch, mixed, self.one_sided)


def interpolate_real_fake(batch: AdversarialBatch) -> Tensor:
    """A random point on the segment between each real sample and its generated partner (b, *sample)."""
    real, fake = batch.x_augmented.detach().float(), batch.x_fake_augmented.detach().float()
    share = batch.rng.uniform("interpolate")[: len(real)].reshape(-1, *[1] * (real.ndim - 1))
    return share * real + (1 - share) * fake


def gradient_norm_penalty(batch: AdversarialBatch, x: Tensor, one_sided: bool) -> PerSample:
    """(|grad D(x)| - 1)^2, or max(0, |grad D(x)| - 1)^2 if one-sided, one value a sample (b,)."""
    x = x.detach().requires_grad_()
    excess = torch.linalg.vector_norm(input_gradient(batch.score(x), x), dim=1) - 1
    return (F.relu(excess) if one_sided else excess).square()
