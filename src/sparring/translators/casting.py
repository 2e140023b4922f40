"""Weights in what networks compute in, where one turn uses them in several passes."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from sparring.translators.convolution import Conv, Transposed


@contextmanager
def cast_once(network: nn.Module) -> Iterator[None]:
    """While entered, all passes through the network use one bfloat16 copy of each weight, in which their slopes are summed.

    Weights must not move meanwhile. Without autocast nothing changes.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, Conv | Transposed)]
    try:
        if torch.is_autocast_enabled("cpu"):
            for layer in layers:
                layer.cast = layer.weight.to(torch.get_autocast_dtype("cpu"))
        yield
    finally:
        for layer in layers:
            layer.cast = None
