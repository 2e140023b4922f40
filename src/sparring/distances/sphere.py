"""What all distributions on a sphere share. The sphere S^d lies in R^m with m = d + 1; functions here take m, the `dimension`.

References:
    Davidson et al. 2018, "Hyperspherical variational auto-encoders", arXiv 1804.00891, sec. 3 (mean, tangent, reflection).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


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
    sign = torch.where(mean[:, :1] < 0, -1.0, 1.0).to(mean.dtype)
    u = mean + F.pad(sign, (0, mean.shape[1] - 1))
    along = (e1_based * u).sum(-1, keepdim=True) / (1 + mean[:, :1].abs())  # 2 <u, v> / |u|^2
    return sign * (along * u - e1_based)


def around(mean: Tensor, cosine: Tensor, sine: Tensor, noise: Tensor) -> Tensor:
    """Unit vectors (n, b, m) at the given angles from `mean`, in directions given by `noise`.

    Arguments:
        mean: (b, m), of length 1.
        cosine, sine: (b, n) of the angles.
        noise: (b, n, m - 1), standard normal.
    """
    tangent = F.normalize(noise, dim=-1, eps=1e-30)
    parts = (cosine.unsqueeze(-1), sine.unsqueeze(-1) * tangent)
    return reflect(torch.cat([part.to(mean.dtype) for part in parts], dim=-1).transpose(0, 1), mean)
