"""What all distributions on a sphere share. The sphere S^d lies in R^m with m = d + 1; functions here take m, the `dimension`.

References:
    Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3 (mean, tangent, reflection).
"""

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def log_surface_area(dimension: int) -> float:
    """log of the area of the unit sphere in R^m: log(2 pi^(m/2) / Gamma(m/2)).

    >>> round(math.exp(log_surface_area(3)) / math.pi, 9)
    4.0
    """
    return math.log(2) + dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2)


def reflect(e1_based: Tensor, mean: Tensor) -> Tensor:
    """Vectors around the first axis, turned to vectors around `mean`: an orthogonal map of determinant +-1, e1 -> mean.

    A Householder reflection along u = mean + sign(mean_1) e1, which is never short, so that neither a mean at e1 nor one
    opposite to it loses digits or gradients.

    Arguments:
        e1_based: (..., b, m).
        mean: (b, m), of length 1.
    """
    return _reflection(e1_based, mean).image


class _Reflection(NamedTuple):
    """sign (along u - v), and what it is made of: along = <u, v> / half, half = |u|^2 / 2."""

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


class _Around(torch.autograd.Function):
    """(mean, cosine, sine, tangent) -> unit vectors (n, b, m), differentiable in the first three: with an eye to few operations."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, cosine: Tensor, sine: Tensor, tangent: Tensor) -> Tensor:
        parts = (cosine.unsqueeze(-1), sine.unsqueeze(-1) * tangent)
        v = torch.cat([part.to(mean.dtype) for part in parts], dim=-1).transpose(0, 1)
        found = _reflection(v, mean)
        ctx.save_for_backward(v, tangent, *found[1:])
        ctx.kind = cosine.dtype
        return found.image

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


def around(mean: Tensor, cosine: Tensor, sine: Tensor, noise: Tensor) -> Tensor:
    """Unit vectors (n, b, m) at the given angles from `mean`, in directions given by `noise`.

    Arguments:
        mean: (b, m), of length 1.
        cosine, sine: (b, n) of the angles.
        noise: (b, n, m - 1), standard normal.
    """
    tangent = F.normalize(noise.detach(), dim=-1, eps=1e-30)
    z: Tensor = _Around.apply(mean, cosine, sine, tangent)
    return z
