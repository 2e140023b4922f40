"""Spectral normalisation: weights divided by their largest singular value."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from sparring.parts.networks.layers.strided_conv import (
    DownsampleConv2d,
    LatentConvTranspose2d,
    UpsampleConv2d,
)

_OUTPUTS_FIRST = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, DownsampleConv2d)
_OUTPUTS_SECOND = (nn.ConvTranspose1d, nn.ConvTranspose2d, UpsampleConv2d, LatentConvTranspose2d)
_START_ITERATIONS = 15


def spectral_norm(module: nn.Module) -> nn.Module:
    """Makes a discriminator layer Lipschitz: its weight, as a matrix, gets spectral norm 1.

        W_SN = W / sigma,  sigma = u^T W v,  v <- W^T u / |W^T u|,  u <- W v / |W v|

    with one power iteration a forward pass in training, none in evaluation. u and v are buffers, so a resumed
    run has the same sigma. Gradients flow through W in sigma, not through u and v. Computed in float32.

    Deviation: u starts from a fixed draw and is iterated 15 times when built, so that sigma is near right
        from step 0.

    References:
        Miyato, Kataoka, Koyama & Yoshida 2018, "Spectral normalization for generative adversarial networks",
        arXiv 1802.05957, Eq. 7 and Algorithm 1.

    Arguments:
        module: a linear, embedding or (transposed) convolution layer; its weight is initialised already.

    Returns: the same module.
    """
    if not isinstance(module, _OUTPUTS_FIRST + _OUTPUTS_SECOND):
        raise TypeError(
            f"spectral_norm of a {type(module).__name__}: only layers with a weight matrix have one"
        )
    assert isinstance(module.weight, Tensor)
    parametrization = _SpectralNorm(module.weight, 1 if isinstance(module, _OUTPUTS_SECOND) else 0)
    parametrize.register_parametrization(module, "weight", parametrization)
    return module


def spectral_norm_all(network: nn.Module) -> nn.Module:
    """`spectral_norm` of every layer in the network that has a weight matrix; returns the network."""
    for module in list(network.modules()):
        if isinstance(module, _OUTPUTS_FIRST + _OUTPUTS_SECOND):
            spectral_norm(module)
    return network


def restart_power_iteration(network: nn.Module) -> None:
    """Estimate the largest singular values of all normalised weights in the network anew, after weights were replaced."""
    for module in network.modules():
        if isinstance(module, parametrize.ParametrizationList):
            for parametrization in module:
                if isinstance(parametrization, _SpectralNorm):
                    parametrization.restart(module.original)


class _SpectralNorm(nn.Module):
    """From a weight to the weight over its spectral norm.

    Arguments:
        weight: the initial one.
        dim: the dimension that counts the outputs.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, dim: int) -> None:
        super().__init__()
        self.dim = dim
        matrix = self._matrix(weight.detach())
        self.register_buffer("u", matrix.new_zeros(matrix.shape[0]))
        self.register_buffer("v", matrix.new_zeros(matrix.shape[1]))
        self.restart(weight)

    @torch.no_grad()
    def restart(self, weight: Tensor) -> None:
        """Start from a fixed vector u, and iterate it for this weight."""
        matrix = self._matrix(weight.detach())
        start = torch.randn(matrix.shape[0], generator=torch.Generator().manual_seed(0))
        self.u.copy_(F.normalize(start, dim=0))
        self._iterate(matrix, _START_ITERATIONS)

    def forward(self, weight: Tensor) -> Tensor:
        device = (
            weight.device.type if weight.device.type != "meta" else "cpu"
        )  # meta: built to be counted only
        with torch.autocast(device, enabled=False):
            matrix = self._matrix(weight)
            if self.training:
                self._iterate(matrix.detach(), 1)
            sigma = torch.dot(
                self.u.clone(), matrix @ self.v.clone()
            )  # clones: a second pass moves the buffers
            return weight / sigma

    @torch.no_grad()
    def _iterate(self, matrix: Tensor, steps: int) -> None:
        for _ in range(steps):
            self.v.copy_(F.normalize(self.u @ matrix, dim=0))
            self.u.copy_(F.normalize(matrix @ self.v, dim=0))

    def _matrix(self, weight: Tensor) -> Tensor:
        """Outputs x all else (kernel positions, then inputs: the order of channels_last, which is a view)."""
        first = weight.float().transpose(0, self.dim)
        return first.movedim(1, -1).reshape(first.shape[0], -1)
