"""What a generator's layers make of latents."""

from typing import Any

import torch
from torch import Tensor, nn

from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import forward

AT_ONCE = 64


@torch.no_grad()
def activations(generation: Generation, z: Tensor, y: Tensor | None, layer: int = 0) -> Tensor:
    """The output of a layer with weights, in the order in which they are played: float32 (n, values), on the CPU.

    Arguments:
        z: latents (n, z).
        y: classes (n,), or None.
        layer: its number, from 0; beyond the last means the last but one, before the samples.

    Raises:
        SparringError: the generator has no layers.
    """
    device, parts = generation.shares.device, []
    for rows in torch.arange(len(z)).split(AT_ONCE):
        seen = _played(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        parts.append(seen[min(layer, max(0, len(seen) - 2))])
    return torch.cat(parts)


def _played(generation: Generation, z: Tensor, y: Tensor | None) -> list[Tensor]:
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: Any, made: Tensor) -> None:
        seen.append(made.float().flatten(1).cpu().clone())  # what follows may work in place

    handles = [layer.register_forward_hook(keep) for layer in _layers(generation)]
    try:
        forward(generation, z, y)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise SparringError(
            "a generator without layers of weights", "a network", "train a generator that is one"
        )
    return seen


def _layers(generation: Generation) -> list[nn.Module]:
    """Those with a matrix of weights of their own and nothing inside, but for vectors of classes."""
    return [
        module
        for module in generation.generator.modules()
        if not isinstance(module, nn.Embedding)
        and not any(True for _ in module.children())
        and any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
    ]
