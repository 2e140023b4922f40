"""Initial weights: DCGAN's, from N(0, 0.02) and scales of normalisations from N(1, 0.02); and He's, which keep the variance."""

from torch import nn


def init_normal_weights(network: nn.Module) -> None:
    """Initialise a network in place: 4-dimensional weights from N(0, 0.02), scales of torch's normalisations from N(1, 0.02),
    biases of convolutions 0.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, 0.02)
            continue
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter) and weight.dim() == 4:
            nn.init.normal_(weight, 0.0, 0.02)
            if isinstance(bias, nn.Parameter):
                nn.init.zeros_(bias)


def init_he_weights(network: nn.Module, negative_slope: float) -> None:
    """Draw 4-dimensional weights from N(0, 2 / ((1 + negative_slope^2) fan_in)), biases 0 (He et al. 2015, arXiv:1502.01852)."""
    for module in network.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter) and weight.dim() == 4:
            nn.init.kaiming_normal_(weight, negative_slope)
            if isinstance(bias, nn.Parameter):
                nn.init.zeros_(bias)
