"""Random weights, to test an architecture without its published ones."""

import torch
from torch import Tensor, nn

from sparring.core.rng import make_generator


def random_state_dict(module: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """A random state dict for a module, to test an architecture without its weights.

    Weights of a layer with n inputs have the variance 1.5/n (close to He et al. 2015, arXiv:1502.01852), so that signals
    neither vanish nor explode.
    """
    state = {}
    for index, (name, old) in enumerate(module.state_dict().items()):
        draw = make_generator(seed, "random state", index)
        if not old.is_floating_point():
            state[name] = torch.zeros(old.shape, dtype=old.dtype)
        elif old.ndim > 1:
            scale = (1.5 / max(1, old[0].numel())) ** 0.5
            state[name] = torch.randn(old.shape, generator=draw) * scale
        elif name.endswith(("running_var", "weight", "gamma")):
            state[name] = 0.8 + 0.4 * torch.rand(old.shape, generator=draw)
        else:
            state[name] = 0.1 * torch.randn(old.shape, generator=draw)
    return state
