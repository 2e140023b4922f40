"""Recompute the running statistics of batch normalisation (for averaged weights)."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def recompute_batch_norm_statistics(
    network: nn.Module, batches: int, run_batch: Callable[[int], object]
) -> None:
    """Replace the running mean and variance of every batch normalisation by the mean over some batches.

    The activations of averaged weights differ from those of the weights whose training the statistics come from; with stale
    statistics the samples of an averaged generator lack contrast.

    References: Brock et al. 2019, arXiv:1809.11096, appendix C.2 ("standing statistics").

    Arguments:
        network: put into evaluation mode.
        batches: number of batches.
        run_batch: runs the network on the batch of this index.
    """
    layers = [
        layer for layer in network.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats
    ]
    network.eval()
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean of all batches
        layer.train()
    for number in range(batches):
        run_batch(number)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()
