"""DCGAN's initialisation: weights from N(0, 0.02), scales of normalisations from N(1, 0.02)."""

from torch import nn


def init_normal_weights(network: nn.Module) -> None:
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
