"""Fold batch normalisation into the preceding convolution: exact in evaluation mode, computed in float64.

    g / sqrt(v + eps) (W * x - m) + b  =  W' * x + b',   W' = g W / sqrt(v + eps),   b' = b - g m / sqrt(v + eps)

References: Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1 (inference).
"""

from torch import Tensor, nn


def folded_weights(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias (float32) of the convolution that equals a convolution followed by batch normalisation."""
    assert convolution.bias is None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = convolution.weight.double() * gain[:, None, None, None]
    bias = norm.bias.double() - norm.running_mean.double() * gain
    return weight.float(), bias.float()


def fold_batch_norm(module: nn.Module, pairs: list[tuple[str, str]]) -> None:
    """Fold batch normalisation in place; the folded layers become identities.

    Arguments:
        module: searched with all its submodules.
        pairs: names of a convolution and of the batch normalisation after it, as children of one submodule.
    """
    for part in list(module.modules()):
        children = dict(part.named_children())
        for convolution_name, norm_name in pairs:
            convolution, norm = children.get(convolution_name), children.get(norm_name)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                weight, bias = folded_weights(convolution, norm)
                convolution.weight = nn.Parameter(weight, requires_grad=False)
                convolution.bias = nn.Parameter(bias, requires_grad=False)
                setattr(part, norm_name, nn.Identity())
