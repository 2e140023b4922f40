"""Exponential moving average (EMA) of a network's weights, with a half-life in images.

References: Polyak & Juditsky 1992; Karras et al. 2018, arXiv:1710.10196 (EMA of a generator); Karras et al.
2020, arXiv:2006.06676 (the ramp of the half-life).
"""

import copy

import torch
from torch import Tensor, nn


class EMA(nn.Module):
    """A copy of a module whose weights and float buffers are an average of the module's past ones.

        mean <- mean + w (weights - mean),  w = 1 - 2^(-batch / min(half_life, ramp * images))

    Without a half-life w = 1 / (number of updates), the arithmetic mean. Integer buffers (counters) are copied.

    Arguments:
        module: copied when constructed.
        half_life: in images; None for the mean of all past weights.
        ramp: largest half-life as a fraction of the images seen so far.
    """

    count: Tensor

    def __init__(self, module: nn.Module, half_life: float | None, ramp: float = 0.05) -> None:
        super().__init__()
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.half_life, self.ramp = half_life, ramp
        # collected once, as that takes longer than averaging; in a tuple, as a module attribute would become a submodule
        self._pairs: tuple[nn.Module, list[list[Tensor]]] | None = None
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @classmethod
    def cumulative_mean(cls, module: nn.Module) -> "EMA":
        """The mean of all past weights (historical averaging)."""
        return cls(module, None)

    @torch.no_grad()
    def update(self, module: nn.Module, images: int = 0, batch: int = 1) -> None:
        """Update the average with the module's weights.

        Arguments:
            images: images seen until now.
            batch: of these since the last update.
        """
        self.count += 1
        weight = self._weight(images, batch)
        if self._pairs is None or self._pairs[0] is not module:
            tensors = [
                collect(one)
                for collect in (_float_tensors, _integer_buffers)
                for one in (self.module, module)
            ]
            self._pairs = module, tensors
        means, values, copies, counters = self._pairs[1]
        torch._foreach_lerp_(means, values, weight)
        for copied, counter in zip(copies, counters, strict=True):
            copied.copy_(counter)

    def _weight(self, images: int, batch: int) -> float:
        if self.half_life is None:
            return 1 / float(self.count)
        half_life = min(self.half_life, self.ramp * images)
        return 1 - 0.5 ** (batch / half_life) if half_life > 0 else 1.0


def _float_tensors(module: nn.Module) -> list[Tensor]:
    tensors = [*module.parameters(), *module.buffers()]
    return [tensor for tensor in tensors if tensor.is_floating_point()]


def _integer_buffers(module: nn.Module) -> list[Tensor]:
    return [buffer for buffer in module.buffers() if not buffer.is_floating_point()]
