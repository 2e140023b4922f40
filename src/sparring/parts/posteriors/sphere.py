"""Shared by the distributions on the sphere S^d: unit vectors in R^m with m = d + 1, the uniform prior, keyed noise.

References:
    Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3 (mean, tangent, reflection).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Latent, PerSample
from sparring.parts.posteriors.base import check_outputs


def log_surface_area(dimension: int) -> float:
    """log of the area of the unit sphere in R^m: log(2 pi^(m/2) / Gamma(m/2)).

    >>> round(math.exp(log_surface_area(3)) / math.pi, 9)
    4.0
    """
    return math.log(2) + dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2)


def householder_reflect(e1_based: Tensor, mean: Tensor) -> Tensor:
    """Map vectors around the first axis to vectors around `mean`: an orthogonal map of determinant +-1, e1 -> mean.

    A Householder reflection along u = mean + sign(mean_1) e1, whose length is at least sqrt(2), so that means near e1 and near -e1
    lose no precision in values or gradients.

    Arguments:
        e1_based: (..., b, m).
        mean: (b, m), of length 1.
    """
    return _reflection(e1_based, mean).image


class _Reflection(NamedTuple):
    """The image sign (along u - v) and its intermediate values: along = <u, v> / half, half = |u|^2 / 2."""

    image: Tensor
    sign: Tensor
    u: Tensor
    half: Tensor
    along: Tensor


def _reflection(v: Tensor, mean: Tensor) -> _Reflection:
    first = mean[:, :1]
    sign = torch.where(first < 0, -1.0, 1.0).to(mean.dtype)
    u = torch.cat([first + sign, mean[:, 1:]], 1)
    half = 1 + first.abs()
    along = (v * u).sum(-1, keepdim=True) / half
    return _Reflection(sign * (along * u - v), sign, u, half, along)


class _UnitVectorsAround(torch.autograd.Function):
    """(mean, cosine, sine, tangent) -> unit vectors (n, b, m), differentiable in the first three, in few operations."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, cosine: Tensor, sine: Tensor, tangent: Tensor) -> Tensor:
        parts = (cosine.unsqueeze(-1), sine.unsqueeze(-1) * tangent)
        v = torch.cat([part.to(mean.dtype) for part in parts], dim=-1).transpose(0, 1)
        reflection = _reflection(v, mean)
        ctx.save_for_backward(v, tangent, *reflection[1:])
        ctx.kind = cosine.dtype
        return reflection.image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        v, tangent, sign, u, half, along = ctx.saved_tensors
        turned = sign * gradient
        for_along = (turned * u).sum(-1, keepdim=True) / half
        for_mean = (turned * along + for_along * v).sum(0)
        for_mean[:, :1] -= sign * (for_along * along).sum(0)  # through `half`
        for_v = (for_along * u - turned).transpose(0, 1).to(ctx.kind)
        return for_mean, for_v[..., 0], (for_v[..., 1:] * tangent).sum(-1), None


def unit_vectors_around(mean: Tensor, cosine: Tensor, sine: Tensor, noise: Tensor) -> Tensor:
    """Unit vectors (n, b, m) at angles from `mean`, in the directions of `noise`.

    Arguments:
        mean: (b, m), of length 1.
        cosine, sine: (b, n) of the angles.
        noise: (b, n, m - 1), standard normal.
    """
    tangent = F.normalize(noise.detach(), dim=-1, eps=1e-30)
    z: Tensor = _UnitVectorsAround.apply(mean, cosine, sine, tangent)
    return z


MAX_DIMENSION = 4_096  # d, up to which the formulas were checked


class SphereNoise(NamedTuple):
    """Random numbers for samples on a sphere: uniform (b, n) in (0, 1), and standard normal (b, n, d)."""

    uniform: Tensor
    normal: Tensor


class SphericalFamily(NamedTuple):
    """A family of distributions around a mean: sampling, log density, and KL to the uniform distribution.

    sample: from mean (b, d + 1), concentration (b,) and `SphereNoise` to (n, b, d + 1). log_density: of z, mean and concentration.
    kl_to_uniform: of concentration and d + 1.
    """

    sample: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    log_density: Callable[[Tensor, Tensor, Tensor], Tensor]
    kl_to_uniform: Callable[[Tensor, int], Tensor]


class SphericalDistribution:
    """Distributions of a family for one batch: mean (b, d + 1), of length 1, and concentration (b,)."""

    def __init__(self, family: SphericalFamily, mean: Tensor, concentration: Tensor) -> None:
        self.family, self.mean, self.concentration = family, mean, concentration

    def sample(self, rng: KeyedRandom, stream: str, count: int = 1) -> Tensor:
        noise = draw_noise(rng, stream, count, self.mean.shape[1])
        return self.family.sample(self.mean, self.concentration, noise.uniform, noise.normal)

    def log_prob(self, z: Tensor) -> Tensor:
        return self.family.log_density(z, self.mean, self.concentration).to(self.mean.dtype)

    def prior_log_prob(self, z: Tensor) -> Tensor:
        return uniform_sphere_log_density(z)

    def kl(self) -> PerSample:
        return self.family.kl_to_uniform(self.concentration, self.mean.shape[1]).to(self.mean.dtype)


def direction_and_concentration(raw: Tensor, code_size: int) -> tuple[Tensor, Tensor]:
    """The mean (b, d + 1), of length 1, and kappa = softplus(raw) + 1 (b,), from the encoder's outputs (b, d + 2)."""
    direction, spread = check_outputs(raw, code_size + 1).split([code_size, 1], dim=1)
    return project_to_sphere(direction), F.softplus(spread.squeeze(1)) + 1


def project_to_sphere(z: Latent) -> Latent:
    """z / |z|; the first axis for z = 0. Standard normal z become uniform on the sphere."""
    empty = (z.abs().amax(1, keepdim=True) == 0) & (torch.arange(z.shape[1], device=z.device) == 0)
    z = torch.where(empty, torch.ones_like(z), z)
    z = z / z.detach().abs().amax(1, keepdim=True)  # neither huge nor tiny outputs lose their direction
    return F.normalize(z, dim=1)


def draw_noise(rng: KeyedRandom, stream: str, count: int, code_size: int) -> SphereNoise:
    """The noise of `count` samples for each row, with uniform numbers of 48 bits."""
    coarse, fine = rng.uniform(stream + ".angle", count, 2).double().unbind(2)
    return SphereNoise(
        coarse + (fine + 2.0**-25) * 2.0**-24, rng.normal(stream + ".direction", count, code_size - 1)
    )


def uniform_sphere_log_density(z: Tensor) -> Tensor:
    """log p(z) of the uniform distribution: minus the log of the sphere's area, for codes (..., d + 1)."""
    return z.new_full(z.shape[:-1], -log_surface_area(z.shape[-1]))
