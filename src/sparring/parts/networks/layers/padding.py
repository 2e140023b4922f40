"""Padding by reflection, also up to a multiple of the network's stride."""

import torch.nn.functional as F
from torch import Tensor


def reflect_pad(x: Tensor, count: int) -> Tensor:
    """x padded by reflection with `count` rows and columns on each side; by replication where it is too small.

    >>> import torch
    >>> reflect_pad(torch.tensor([[[[1.0, 2.0, 3.0]]]]), 1)[0, 0, 0].tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    mode = "reflect" if count < min(x.shape[2:]) else "replicate"
    return F.pad(x, (count, count, count, count), mode)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """x padded at the end so that its height and width are multiples of `multiple`: by reflection, or by replication where it is
    too small.
    """
    height, width = x.shape[2:]
    down, right = -height % multiple, -width % multiple
    if not down and not right:
        return x
    mode = "reflect" if down < height and right < width else "replicate"
    return F.pad(x, (0, right, 0, down), mode)
