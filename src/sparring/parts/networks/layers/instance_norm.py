"""Instance normalisation: each channel of each image gets mean 0 and variance 1, in training and inference
alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

Norm = Literal["instance", "batch", "none"]

UNBATCHED_IMAGES = 4  # batch size up to which it is faster to normalise the images one by one


class InstanceNorm(nn.Module):
    """Normalises each channel of each image by its own mean and variance.

        y = a (x - mean) / sqrt(var + eps) + b,  mean and var over (h, w)

    There are no running statistics: the result for an image is the same in training, in inference and in an exported file,
    whatever else is in the batch. Inside `fixed_statistics` all images are normalised by the statistics of other images. A
    grid of 1x1 has no variance and is returned unchanged.

    References:
        Ulyanov, Vedaldi & Lempitsky 2016, "Instance normalization: the missing ingredient for fast
        stylization", arXiv 1607.08022, Eq. 3.

    Arguments:
        channels: of the images.
        affine: whether a and b are learned; otherwise they are 1 and 0.
        eps: added to the variance.

    Shape: (b, c, h, w) to (b, c, h, w).

    >>> InstanceNorm(1)(torch.tensor([[[[1.0, 3.0]]]])).round(decimals=3).tolist()
    [[[[-1.0, 1.0]]]]
    """

    def __init__(self, channels: int, *, affine: bool = False, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.eps = channels, eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self._measuring = False
        self._fixed: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self._measuring:
            self._fixed = _mean_and_variance(x)
        if self._fixed is not None:
            mean, variance = self._fixed
            y = ((x.float() - mean) * (variance + self.eps).rsqrt()).to(x.dtype)
        elif x.shape[2] * x.shape[3] == 1:
            y = x
        else:
            y = instance_normalise(x, self.eps)
        return self._affine(y)

    def _affine(self, x: Tensor) -> Tensor:
        if self.weight is None or self.bias is None:
            return x
        return x * self.weight.to(x.dtype).view(-1, 1, 1) + self.bias.to(x.dtype).view(-1, 1, 1)


def instance_normalise(x: Tensor, eps: float = 1e-5) -> Tensor:
    """Normalise each channel of each image to mean 0 and variance 1, (b, c, h, w), in float32.

    On a CPU, for channels-last images, this takes a tenth of the time of PyTorch's operator.
    """
    exporting = torch.compiler.is_compiling() or torch.jit.is_tracing()
    if exporting or x.device.type != "cpu":
        return nn.functional.instance_norm(x, eps=eps)
    result: Tensor = _InstanceNormalise.apply(x, eps)
    return result


class _InstanceNormalise(torch.autograd.Function):
    """dx = (g - mean(g) - y mean(g y)) / std. For second derivatives it is computed from x by differentiable operators.

    A small batch is passed image by image to PyTorch's batch normalisation, which takes a half (forward) to a quarter
    (backward) of the time.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        y, *statistics = (
            _normalise_as_batches(x, eps) if len(x) <= UNBATCHED_IMAGES else _normalise_float32(x, eps)
        )
        ctx.save_for_backward(x, *statistics)
        ctx.eps = eps
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, mean, scale = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return _input_gradients(gradient, x, mean, scale, ctx.eps), None
        g = _at_least_float32(gradient)
        y, _, scale = _normalise_float32(x, ctx.eps)
        shift = g.mean((2, 3), keepdim=True)
        along = (g * y).mean((2, 3), keepdim=True)
        return ((g - shift - y * along) * scale).to(x.dtype), None


def _normalise_as_batches(x: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    ones = _ones(x)
    normalised = [
        torch.native_batch_norm(image, ones, torch.zeros_like(ones), None, None, True, 0.0, eps)
        for image in x.split(1)
    ]
    y, mean, scale = (torch.cat(parts) for parts in zip(*normalised, strict=True))
    return y, mean, scale


def _input_gradients(gradient: Tensor, x: Tensor, mean: Tensor, scale: Tensor, eps: float) -> Tensor:
    ones, gradients = _ones(x), []
    images = (gradient.split(1), x.split(1), mean.view(len(x), -1), scale.view(len(x), -1))
    for g, image, *statistics in zip(*images, strict=True):
        rest = (None, None, *statistics, True, eps, [True, False, False])
        gradients.append(torch.ops.aten.native_batch_norm_backward(g, image, ones, *rest)[0])
    return torch.cat(gradients)


def _ones(x: Tensor) -> Tensor:
    """A scale of 1 for each channel, in float32, so that the operators return float32 statistics."""
    return torch.ones(x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32), device=x.device)


def _at_least_float32(x: Tensor) -> Tensor:
    """Cast to float32, unless the precision is higher."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _normalise_float32(x: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """The normalised images, their means and 1 / std, in float32."""
    x = _at_least_float32(x)
    mean = x.mean((2, 3), keepdim=True)
    centred = x - mean
    scale = (centred.square().mean((2, 3), keepdim=True) + eps).rsqrt()
    return centred * scale, mean, scale


def _mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance over all images and positions, (1, c, 1, 1); 0 and 1 for a grid of 1x1."""
    x = x.float()
    if x.shape[2] * x.shape[3] == 1:
        return torch.zeros_like(x[:1]), torch.ones_like(x[:1])
    variance, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
    return mean, variance


@contextmanager
def fixed_statistics(network: nn.Module, x: Tensor) -> Iterator[None]:
    """Context in which every `InstanceNorm` of the network uses the mean and variance that it measured on x.

    It makes the tiles of one image consistent: measure on crops from all of the image, then translate tile by tile.

    Arguments:
        network: called once with x, without gradients.
        x: one image or more (b, c, h, w), over all of which the statistics are computed.
    """
    layers = [module for module in network.modules() if isinstance(module, InstanceNorm)]
    try:
        for layer in layers:
            layer._measuring = True
        with torch.no_grad():
            network(x)
        for layer in layers:
            layer._measuring = False
        yield
    finally:
        for layer in layers:
            layer._measuring, layer._fixed = False, None


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """The normalisation layer of this kind. As in the papers' code, batch normalisation learns a scale and a shift, and
    instance normalisation does not.
    """
    if kind == "none":
        return nn.Identity()
    return nn.BatchNorm2d(channels) if kind == "batch" else InstanceNorm(channels)
