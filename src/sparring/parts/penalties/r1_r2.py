"""R1 and R2: the discriminator's gradient, on real or on generated samples, is pulled towards zero."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import Logits, PerSample


@dataclass(frozen=True, kw_only=True)
class R1:
    """A zero-centred gradient penalty on real samples, with which GAN training converges locally.

        R1 = gamma/2 E_x |grad_x D(x)|^2

    Not for discriminators with batch normalisation, where a logit depends on other samples.

    Deviation: the gradient is taken with respect to what the discriminator sees (after augmentation and
    packing).

    References:
        Mescheder, Geiger, Nowozin 2018, "Which training methods for GANs do actually converge?", arXiv
            1801.04406, Eq. 9.
        Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", arXiv 1912.04958, sec.
            3.1 (lazy).

    Arguments:
        gamma: strength (default 10, as in 2018); scale it with the number of pixels.
        every: steps between applications (StyleGAN2: 16). On 2-D toy data keep 1: R3GAN reports failures at 8.

    Shape: one value a sample (b,), with the weight in it, without the factor `every`.
    """

    gamma: Schedule = 10.0
    every: int = 1
    needs_input_grad: ClassVar[bool] = True
    needs_weight_average: ClassVar[bool] = False
    logit_decay: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        check_penalty(self.gamma, self.every)

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        return (
            value_at(self.gamma, batch.images) / 2 * squared_grad_norm(batch.real_logits, batch.x_augmented)
        )


@dataclass(frozen=True, kw_only=True)
class R2:
    """A zero-centred gradient penalty on generated samples.

        R2 = gamma/2 E_z |grad_x D(G(z))|^2

    With R1 it keeps the gradient small wherever samples are; R3GAN uses both.

    References:
        Mescheder, Geiger, Nowozin 2018, arXiv 1801.04406, Eq. 10.
        Huang, Gokaslan, Kuleshov, Tompkin 2024, arXiv 2501.05441, sec. 2.2.

    Arguments:
        gamma: strength (default 10, as in 2018).
        every: steps between applications.

    Shape: one value a sample (b,), with the weight in it, without the factor `every`.
    """

    gamma: Schedule = 10.0
    every: int = 1
    needs_input_grad: ClassVar[bool] = True
    needs_weight_average: ClassVar[bool] = False
    logit_decay: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        check_penalty(self.gamma, self.every)

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        return (
            value_at(self.gamma, batch.images)
            / 2
            * squared_grad_norm(batch.fake_logits, batch.x_fake_augmented)
        )


def input_gradient(logits: Logits, x: Tensor) -> Tensor:
    """The gradient of each logit with respect to its own sample, flat (b, values), with a graph of its own.

    The sum over the batch is differentiated once, which is exact as long as no logit depends on other samples.
    """
    assert x.requires_grad, "a penalty with needs_input_grad got inputs that do not require gradients"
    (gradient,) = torch.autograd.grad(logits.float().sum(), x, create_graph=True)
    return gradient.float().flatten(1)


def squared_grad_norm(logits: Tensor, x: Tensor) -> PerSample:
    """|grad_x D(x)|^2, one value a sample (b,); where a sample has several logits, of their sum.

    >>> x = torch.ones(2, 3, requires_grad=True)
    >>> squared_grad_norm(x @ torch.tensor([1.0, 2.0, 2.0]), x).tolist()
    [9.0, 9.0]
    """
    return input_gradient(logits, x).square().sum(1)


def check_penalty(weight: Schedule, every: int) -> None:
    """Raises ConfigError for a weight that is negative at either end of its schedule, or `every` below 1."""
    lowest = min(value_at(weight, 0), value_at(weight, 10**18))
    if not lowest >= 0:
        raise ConfigError(
            f"a penalty of weight {weight}",
            "a weight of 0 or more",
            "leave the penalty out, or raise the weight",
        )
    if every < 1:
        raise ConfigError(f"a penalty every {every} steps", "every >= 1", "1 applies it at each step")
