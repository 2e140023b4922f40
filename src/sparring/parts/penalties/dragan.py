"""DRAGAN: gradient norm pulled towards one in a noisy neighbourhood of the data."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import PerSample
from sparring.parts.penalties.gradient_penalty import gradient_norm_penalty
from sparring.parts.penalties.r1_r2 import check_penalty


@dataclass(frozen=True, kw_only=True)
class DRAGAN:
    """A gradient penalty in a neighbourhood of real samples, where sharp gradients cause mode collapse.

        weight E (|grad D(x + delta)| - 1)^2        delta = noise_scale std(x) u,  u ~ U[0, 1)

    Deviation: the noise is uniform and scaled by the standard deviation of the batch, as in the authors'
    experiments; the paper's formula has a Gaussian of fixed variance.

    References:
        Kodali, Abernethy, Hays, Kira 2017, "On convergence and stability of GANs", arXiv 1705.07215,
            Algorithm 1.

    Arguments:
        weight: lambda (default 10, as in the paper).
        noise_scale: width of the noise in standard deviations of the data (default 0.5, as in the authors'
            experiments).
        one_sided: penalise gradient norms above 1 only.
        every: steps between applications.

    Shape: one value a sample (b,), with the weight in it, without the factor `every`.
    """

    weight: Schedule = 10.0
    noise_scale: float = 0.5
    one_sided: bool = False
    every: int = 1
    needs_input_grad: ClassVar[bool] = False
    needs_weight_average: ClassVar[bool] = False
    logit_decay: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)
        if not self.noise_scale >= 0:
            raise ConfigError(f"noise_scale {self.noise_scale}", "0 or more", "0.5 is the authors' value")

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        near = perturb_real(batch, self.noise_scale)
        return value_at(self.weight, batch.images) * gradient_norm_penalty(batch, near, self.one_sided)


def perturb_real(batch: AdversarialBatch, noise_scale: float) -> Tensor:
    """Real samples plus uniform noise of `noise_scale` standard deviations of the batch (b, *sample)."""
    real = batch.x_augmented.detach().float()
    noise = batch.rng.uniform("dragan", *real.shape[1:])[: len(real)]
    return real + noise_scale * real.std(correction=0) * noise
