"""Sums and differences of groups of samples: the mean latent of a group stands for what its samples have in common."""

import torch
from torch import Tensor

from sparring.errors import SparringError


def mean(group: Tensor) -> Tensor:
    """The mean latent (z,) of a group (n, z), n >= 1."""
    if not len(group):
        raise SparringError("an empty group", "one sample or more", "name some")
    return group.mean(0)


def arithmetic(plus: list[Tensor], minus: list[Tensor], typical: bool = True) -> Tensor:
    """The sum of groups' means less that of others: "smiling woman - neutral woman + neutral man" (z,).

        z = sum_g mean(plus_g) - sum_h mean(minus_h)

    Deviation: the length is brought to sqrt(z), that of a typical latent, where the paper takes the sum as it is (from latents
    that are uniform in a cube).

    References:
        Radford, Metz & Chintala 2016, arXiv 1511.06434, section 6.3.2.

    Arguments:
        plus: groups (n, z), at least one. minus: groups, or none.
        typical: bring the result to a typical length.
    """
    if not plus:
        raise SparringError("nothing to add up", "a group or more with plus", "name some samples")
    made = torch.stack([mean(group) for group in plus]).sum(0)
    for group in minus:
        made = made - mean(group)
    return to_typical(made) if typical else made


def to_typical(z: Tensor) -> Tensor:
    """z (..., z) at the length sqrt(z) near which normal latents lie; 0 stays 0.

    >>> float(to_typical(torch.tensor([3.0, 4.0, 0.0, 0.0])).norm())
    2.0
    """
    return z / z.norm(dim=-1, keepdim=True).clamp_min(1e-12) * z.shape[-1] ** 0.5
