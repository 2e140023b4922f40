"""Batch normalisation folded into the convolution before it, exact in evaluation, computed in float64.

    g / sqrt(v + eps) (W * x - m) + b  =  W' * x + b',   W' = g W / sqrt(v + eps),   b' = b - g m / sqrt(v + eps)

References: Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1 (inference).
"""

import torch
from torch import Tensor, nn

from sparring.keyed import generator


def folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The weight and the bias of the one convolution that does the work of both, float32."""
    assert convolution.bias is None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * gain[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.float(), bias.float()


def fold(module: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """Fold, in each child that has these names, the second layer into the first, and put an identity in its place."""
    for part in list(module.modules()):
        children = dict(part.named_children())
        for convolution_name, norm_name in pairs:
            convolution, norm = children.get(convolution_name), children.get(norm_name)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                weight, bias = folded(convolution, norm)
                convolution.weight = nn.Parameter(weight, requires_grad=False)
                convolution.bias = nn.Parameter(bias, requires_grad=False)
                setattr(part, norm_name, nn.Identity())


def frozen(module: nn.Module) -> nn.Module:
    """In evaluation, without gradients."""
    return module.eval().requires_grad_(False)


def random_state(module: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """A state dict of the right names and shapes with random numbers in it, to test an architecture without its weights.

    Weights of a layer with n inputs have the variance 1/n (He et al. 2015, arXiv:1502.01852), so that the signal lives.
    """
    state = {}
    for index, (name, old) in enumerate(module.state_dict().items()):
        draw = generator(seed, "random state", index)
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
