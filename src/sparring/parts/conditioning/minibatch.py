"""Minibatch features: minibatch standard deviation and minibatch discrimination, which make mode collapse
visible to the discriminator.

They are of the real or of the generated samples alone, also where both pass through the network in one batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features


@dataclass(frozen=True, kw_only=True)
class MinibatchStdDev:
    """One more feature: the mean standard deviation of the features within a group of samples.

        s = mean_d sqrt(var_{i in group} f_d(x_i) + 1e-8)

    Deviation: on flat features, before the discriminator's head. Any batch size works: b // group_size groups of nearly equal
    size, none smaller than `group_size` unless the batch is.

    References:
        Karras et al. 2018, "Progressive growing of GANs", arXiv 1710.10196, sec. 3; groups of 4: Karras et al. 2020,
            arXiv 1912.04958.

    Arguments:
        group_size: samples per group (default 4).

    Shape: (b, d) to (b, d + 1).
    """

    group_size: int = 4

    def __post_init__(self) -> None:
        if self.group_size < 2:
            raise ConfigError(f"group_size {self.group_size}", "2 or more", "4 is usual")

    def build(self, num_features: int) -> nn.Module:
        return MinibatchStdDevLayer(num_features, self.group_size)


class MinibatchStdDevLayer(nn.Module):
    """See `MinibatchStdDev`."""

    def __init__(self, num_features: int, group_size: int) -> None:
        super().__init__()
        self.group_size, self.num_features = group_size, num_features + 1

    def forward(self, features: Features) -> Tensor:
        spread = group_standard_deviation(features.float(), self.group_size).to(features.dtype)
        return torch.cat([features, spread[:, None]], dim=1)


def group_standard_deviation(features: Features, group_size: int) -> Tensor:
    """The mean standard deviation of each sample's group (b,): sample i is in group i mod (b // group)."""
    count = len(features)
    groups = max(1, count // group_size)
    rows = -(-count // groups)
    if count == rows * groups:  # groups of one size
        grouped = features.reshape(rows, groups, -1)
        variance = (grouped - grouped.mean(0)).square().mean(0)
        return (variance + 1e-8).sqrt().mean(1).repeat(rows)
    gap = rows * groups - count
    padded = F.pad(features, (0, 0, 0, gap)).reshape(rows, groups, -1)
    here = (torch.arange(rows * groups, device=features.device) < count).reshape(rows, groups, 1)
    size = here.sum(0)
    centred = (padded - padded.sum(0) / size) * here
    deviation = (centred.square().sum(0) / size + 1e-8).sqrt()
    return deviation.mean(1).repeat(rows)[:count]


@dataclass(frozen=True, kw_only=True)
class MinibatchDiscrimination:
    """Learned kernels measure how close each sample is to the others of the batch.

        o_k(x_i) = sum_{j != i} exp(-| M_ik - M_jk |_1)        M_i = T f(x_i), (kernels, dims)

    Deviation: the sum leaves out j = i, which is always 1.

    References:
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.2.

    Arguments:
        kernels: features that are added (B of the paper; default 50).
        dims: dimensions in which a kernel measures distance (C of the paper; default 5).

    Shape: (b, d) to (b, d + kernels); memory grows with b^2 kernels dims.
    """

    kernels: int = 50
    dims: int = 5

    def __post_init__(self) -> None:
        if min(self.kernels, self.dims) < 1:
            raise ConfigError(
                f"{self.kernels} kernels of {self.dims} dimensions", "1 or more", "50 and 5 are usual"
            )

    def build(self, num_features: int) -> nn.Module:
        return MinibatchDiscriminationLayer(num_features, self.kernels, self.dims)


class MinibatchDiscriminationLayer(nn.Module):
    """See `MinibatchDiscrimination`."""

    def __init__(self, num_features: int, kernels: int, dims: int) -> None:
        super().__init__()
        self.kernels, self.num_features = kernels, num_features + kernels
        self.project = nn.Linear(num_features, kernels * dims, bias=False)

    def forward(self, features: Features) -> Tensor:
        places = self.project(features).float().unflatten(1, (self.kernels, -1))
        distance = (places[:, None] - places[None]).abs().sum(-1)
        others = 1 - torch.eye(len(features), device=features.device)
        closeness = (torch.exp(-distance) * others[..., None]).sum(1)
        return torch.cat([features, closeness.to(features.dtype)], dim=1)
