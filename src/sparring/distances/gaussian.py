"""Distances between normal distributions with diagonal covariance.

References: Kingma & Welling 2014, "Auto-encoding variational Bayes", arXiv 1312.6114, appendix B.
"""

import torch
from torch import Tensor


def kl_normal_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(0, 1)) summed over the last axis, in nats: sum (mean^2 + std^2 - 1 - 2 log std) / 2.

    Arguments:
        mean, log_std: (..., d).

    >>> kl_normal_to_standard(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).tolist()
    [12.5]
    """
    return (mean**2 + torch.expm1(2 * log_std) - 2 * log_std).sum(-1) / 2


def kl_normals(mean: Tensor, log_std: Tensor, other_mean: Tensor, other_log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(other_mean, other_std^2)) summed over the last axis, in nats.

    Arguments:
        mean, log_std, other_mean, other_log_std: (..., d).
    """
    return kl_normal_to_standard((mean - other_mean) * torch.exp(-other_log_std), log_std - other_log_std)


def normal_log_density(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(z; mean, std^2) summed over the last axis, in nats.

    Arguments:
        z, mean, log_std: (..., d).
    """
    half_log_tau = 0.9189385332046727  # log(2 pi) / 2
    return -(((z - mean) * torch.exp(-log_std)) ** 2 / 2 + log_std + half_log_tau).sum(-1)
