"""Edges of pictures: padding by reflection, and to sizes that a network can halve."""

import torch.nn.functional as F
from torch import Tensor, nn


def reflect(x: Tensor, count: int) -> Tensor:
    """x with `count` mirrored rows and columns on each side; where it is too small to mirror, its edge is repeated.

    >>> import torch
    >>> reflect(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 1)[0, 0, 0].tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    mode = "reflect" if count < min(x.shape[2:]) else "replicate"
    return F.pad(x, (count, count, count, count), mode)


def fit(x: Tensor, multiple: int) -> Tensor:
    """x with mirrored rows and columns at the end, so that its height and width are multiples of `multiple`."""
    height, width = x.shape[2:]
    down, right = -height % multiple, -width % multiple
    if not down and not right:
        return x
    mode = "reflect" if down < height and right < width else "replicate"
    return F.pad(x, (0, right, 0, down), mode)


def initialise(network: nn.Module) -> None:
    """Weights of convolutions from N(0, 0.02), scales of normalisations from N(1, 0.02), all shifts 0."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            continue
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter) and weight.dim() == 4:
            nn.init.normal_(weight, 0.0, 0.02)
            if isinstance(bias, nn.Parameter):
                nn.init.zeros_(bias)
