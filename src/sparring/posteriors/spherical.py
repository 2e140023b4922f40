"""What posteriors on the sphere S^d share: codes of length 1 in R^(d+1), the uniform prior, keyed draws."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.distances.sphere import log_surface_area
from sparring.keyed import Draws
from sparring.posteriors.posterior import check_outputs
from sparring.shapes import Latent, PerSample

LARGEST = 4_096  # d: the formulas are exact at least up to here


class Noise(NamedTuple):
    """The random numbers of draws on a sphere: (b, n) inside of (0, 1), and (b, n, d) standard normal."""

    uniform: Tensor
    normal: Tensor


class Family(NamedTuple):
    """A family of distributions round a mean: how it is drawn from, its log density, and its KL to the uniform one.

    sample: from mean (b, d + 1), concentration (b,) and `Noise` to (n, b, d + 1). log_density: of z, mean and concentration.
    kl_to_uniform: of concentration and d + 1.
    """

    sample: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    log_density: Callable[[Tensor, Tensor, Tensor], Tensor]
    kl_to_uniform: Callable[[Tensor, int], Tensor]


class SphericalDistribution:
    """One of a family for each of a batch: mean (b, d + 1), of length 1, and concentration (b,)."""

    def __init__(self, family: Family, mean: Tensor, concentration: Tensor) -> None:
        self.family, self.mean, self.concentration = family, mean, concentration

    def sample(self, draws: Draws, stream: str, count: int = 1) -> Tensor:
        noise = draw(draws, stream, count, self.mean.shape[1])
        return self.family.sample(self.mean, self.concentration, noise.uniform, noise.normal)

    def log_prob(self, z: Tensor) -> Tensor:
        return self.family.log_density(z, self.mean, self.concentration).to(self.mean.dtype)

    def prior_log_prob(self, z: Tensor) -> Tensor:
        return uniform_log_density(z)

    def kl(self) -> PerSample:
        return self.family.kl_to_uniform(self.concentration, self.mean.shape[1]).to(self.mean.dtype)


def direction_and_concentration(raw: Tensor, code: int) -> tuple[Tensor, Tensor]:
    """The mean (b, d + 1), of length 1, and kappa = softplus(raw) + 1 (b,), from the encoder's outputs (b, d + 2)."""
    direction, spread = check_outputs(raw, code + 1).split([code, 1], dim=1)
    return on_sphere(direction), F.softplus(spread.squeeze(1)) + 1


def on_sphere(z: Latent) -> Latent:
    """z / |z|; the first axis for z = 0. Standard normal z become uniform on the sphere."""
    empty = (z.abs().amax(1, keepdim=True) == 0) & (torch.arange(z.shape[1], device=z.device) == 0)
    z = torch.where(empty, torch.ones_like(z), z)
    z = z / z.detach().abs().amax(1, keepdim=True)  # neither huge nor tiny outputs lose their direction
    return F.normalize(z, dim=1)


def draw(draws: Draws, stream: str, count: int, code: int) -> Noise:
    """The noise of `count` draws for each row, with uniform numbers of 48 bits."""
    coarse, fine = draws.uniform(stream + ".angle", count, 2).double().unbind(2)
    return Noise(coarse + (fine + 2.0**-25) * 2.0**-24, draws.normal(stream + ".direction", count, code - 1))


def uniform_log_density(z: Tensor) -> Tensor:
    """log p(z) of the uniform distribution: minus the log of the sphere's area, for codes (..., d + 1)."""
    return z.new_full(z.shape[:-1], -log_surface_area(z.shape[-1]))
