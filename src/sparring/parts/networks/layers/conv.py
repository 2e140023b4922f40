"""Convolutions of any kernel and stride, in the forms that are fastest on a CPU.

As in `parts/networks/layers/strided_conv.py`, the three maps

    conv(x, w) = x * w        conv_transpose(g, w) = d<g, x * w>/dx        correlate(x, g) = d<g, x * w>/dw

are linear in each argument, and the derivatives of each are the other two. Where images are small and have many
channels (the inner grids of a U-Net, the last layers of a discriminator, residual blocks), a matrix product with the
windows is 2 to 10 times as fast as PyTorch's operators. Weights in channels-last memory format are that matrix
without a copy.

Measured on one thread of a Zen 4 in bfloat16, in GFLOP/s, PyTorch's operator and the product: 512 to 512 channels, 4x4
to 2x2, batch 8: conv 32 and 143, correlate 10 and 125; 256 to 512 channels, 8x8 to 7x7: correlate 101 and 181; blocks
of 256 channels at 16x16: correlate 139 and 205.

References: Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document
processing".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.parts.networks.layers import strided_conv

PRODUCT_WINDOWS = 128  # number of windows up to which conv and conv_transpose are faster as products
PRODUCT_WINDOWS_WEIGHT = 4096  # number of windows up to which correlate is faster as a product
CHUNK_WINDOWS = 1024  # number of windows that are copied at a time
WIDE_CHANNELS = 64  # number of channels from which products are faster


class ConvGeometry(NamedTuple):
    """Kernel size, stride and padding of a convolution, and height and width of its larger side, in pixels."""

    kernel: int
    stride: int
    padding: int
    height: int
    width: int


class FastConv2d(nn.Conv2d):
    """`nn.Conv2d` with a square kernel, and the same stride and padding in both directions."""

    cast: Tensor | None = None  # the weight in the autocast type; see `cast_weights_once`

    def forward(self, x: Tensor) -> Tensor:
        if _use_plain_operator(x):
            return super().forward(x)
        geometry = ConvGeometry(
            self.kernel_size[0], self.stride[0], int(self.padding[0]), x.shape[2], x.shape[3]
        )
        return strided_conv.add_bias(
            _Conv.apply(*_cast_to_autocast(x, self.weight, self.cast), geometry), self.bias
        )


class FastConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` of stride 2 that doubles height and width."""

    cast: Tensor | None = None

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if _use_plain_operator(x):
            return super().forward(x, output_size)
        geometry = ConvGeometry(self.kernel_size[0], 2, int(self.padding[0]), 2 * x.shape[2], 2 * x.shape[3])
        return strided_conv.add_bias(
            _ConvTranspose.apply(*_cast_to_autocast(x, self.weight, self.cast), geometry), self.bias
        )


def make_downsample_conv(inputs: int, outputs: int, bias: bool) -> nn.Module:
    """The 4x4 convolution of stride 2 and padding 1."""
    if inputs <= strided_conv.THIN_CHANNELS:
        return strided_conv.DownsampleConv2d(inputs, outputs, bias)
    return FastConv2d(inputs, outputs, 4, 2, 1, bias=bias)


def make_upsample_conv(inputs: int, outputs: int, bias: bool) -> nn.Module:
    """The transpose of `make_downsample_conv`: 4x4, stride 2, padding 1."""
    if outputs <= strided_conv.THIN_CHANNELS:
        return strided_conv.UpsampleConv2d(inputs, outputs, bias)
    return FastConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)


def _use_plain_operator(x: Tensor) -> bool:
    return x.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing()


def _cast_to_autocast(x: Tensor, weight: Tensor, cast: Tensor | None) -> tuple[Tensor, Tensor]:
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight = x.to(dtype), weight.to(dtype) if cast is None else cast
    return x, weight.view_as(weight)  # not a leaf: see strided_conv.is_gradient_needed


class _Conv(torch.autograd.Function):
    """x (b, i, H, W), w (o, i, k, k) to (b, o, h, w)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, geometry: ConvGeometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return _conv(x, weight, geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        to_x = (
            _ConvTranspose.apply(gradient, weight, ctx.geometry)
            if strided_conv.is_gradient_needed(ctx, 0)
            else None
        )
        to_weight = (
            _Correlate.apply(x, gradient, ctx.geometry) if strided_conv.is_gradient_needed(ctx, 1) else None
        )
        return to_x, to_weight, None


class _ConvTranspose(torch.autograd.Function):
    """g (b, o, h, w), w (o, i, k, k) to (b, i, H, W)."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, weight: Tensor, geometry: ConvGeometry) -> Tensor:
        ctx.save_for_backward(g, weight)
        ctx.geometry = geometry
        return _conv_transpose(g, weight, geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        g, weight = ctx.saved_tensors
        to_g = (
            _Conv.apply(gradient, weight, ctx.geometry) if strided_conv.is_gradient_needed(ctx, 0) else None
        )
        to_weight = (
            _Correlate.apply(gradient, g, ctx.geometry) if strided_conv.is_gradient_needed(ctx, 1) else None
        )
        return to_g, to_weight, None


class _Correlate(torch.autograd.Function):
    """x (b, i, H, W), g (b, o, h, w) to (o, i, k, k)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor, geometry: ConvGeometry) -> Tensor:
        ctx.save_for_backward(x, g)
        ctx.geometry = geometry
        return _correlate(x, g, geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, g = ctx.saved_tensors
        to_x = (
            _ConvTranspose.apply(g, gradient, ctx.geometry)
            if strided_conv.is_gradient_needed(ctx, 0)
            else None
        )
        to_g = _Conv.apply(x, gradient, ctx.geometry) if strided_conv.is_gradient_needed(ctx, 1) else None
        return to_x, to_g, None


def _conv(x: Tensor, weight: Tensor, geometry: ConvGeometry) -> Tensor:
    grid = [(side + 2 * geometry.padding - geometry.kernel) // geometry.stride + 1 for side in geometry[3:]]
    if x.shape[0] * grid[0] * grid[1] > PRODUCT_WINDOWS or min(weight.shape[:2]) < WIDE_CHANNELS:
        return F.conv2d(x, weight, None, geometry.stride, geometry.padding)
    product = _windows(x, geometry) @ _weight_matrix(weight).t()
    return product.view(x.shape[0], *grid, -1).permute(0, 3, 1, 2)


def _conv_transpose(g: Tensor, weight: Tensor, geometry: ConvGeometry) -> Tensor:
    batch, outputs, height, width = g.shape
    if batch * height * width > PRODUCT_WINDOWS or min(weight.shape[:2]) < WIDE_CHANNELS:
        rest = [
            side - (grid - 1) * geometry.stride + 2 * geometry.padding - geometry.kernel
            for side, grid in zip(geometry[3:], g.shape[2:], strict=True)
        ]
        return F.conv_transpose2d(g, weight, None, geometry.stride, geometry.padding, rest)
    product = g.permute(0, 2, 3, 1).reshape(-1, outputs) @ _weight_matrix(weight)
    windows = product.view(batch, height, width, geometry.kernel, geometry.kernel, -1)
    sides = geometry.height + 2 * geometry.padding, geometry.width + 2 * geometry.padding
    padded = torch.zeros(batch, *sides, weight.shape[1], dtype=torch.promote_types(g.dtype, torch.float32))
    for row in range(geometry.kernel):
        for column in range(geometry.kernel):
            rows = slice(row, row + geometry.stride * (height - 1) + 1, geometry.stride)
            columns = slice(column, column + geometry.stride * (width - 1) + 1, geometry.stride)
            padded[:, rows, columns] += windows[:, :, :, row, column]
    inner = padded[
        :, geometry.padding : sides[0] - geometry.padding, geometry.padding : sides[1] - geometry.padding
    ]
    return inner.to(g.dtype).contiguous().permute(0, 3, 1, 2)


def _correlate(x: Tensor, g: Tensor, geometry: ConvGeometry) -> Tensor:
    inputs, outputs = x.shape[1], g.shape[1]
    if (
        g.shape[0] * g.shape[2] * g.shape[3] <= PRODUCT_WINDOWS_WEIGHT
        and min(inputs, outputs) >= WIDE_CHANNELS
    ):
        product = _correlate_by_product(x, g, geometry)
        return product.view(outputs, geometry.kernel, geometry.kernel, inputs).permute(0, 3, 1, 2)
    shape = (outputs, inputs, geometry.kernel, geometry.kernel)
    empty = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
    pair, mask = ([geometry.stride] * 2, [geometry.padding] * 2), [False, True, False]
    return torch.ops.aten.convolution_backward(g, x, empty, None, *pair, [1, 1], False, [0, 0], 1, mask)[1]


def _correlate_by_product(x: Tensor, g: Tensor, geometry: ConvGeometry) -> Tensor:
    """The gradient of the weight (o, k k i), a few images at a time, so that the windows stay in the cache."""
    count = max(1, CHUNK_WINDOWS // (g.shape[2] * g.shape[3]))
    total: Tensor | None = None
    for images, gradients in zip(x.split(count), g.split(count), strict=True):
        part = gradients.permute(0, 2, 3, 1).reshape(-1, g.shape[1]).t() @ _windows(images, geometry)
        total = part if total is None else total + part
    assert total is not None
    return total


def _windows(x: Tensor, geometry: ConvGeometry) -> Tensor:
    """The inputs under the kernel at each position, (b h w, k k i)."""
    padded = F.pad(x, [geometry.padding] * 4) if geometry.padding else x
    windows = padded.permute(0, 2, 3, 1).contiguous().unfold(1, geometry.kernel, geometry.stride)
    windows = windows.unfold(2, geometry.kernel, geometry.stride).permute(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, geometry.kernel * geometry.kernel * x.shape[1])


def _weight_matrix(weight: Tensor) -> Tensor:
    """The weight as a matrix (o, k k i): a view if it is in channels-last memory format."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


@contextmanager
def cast_weights_once(network: nn.Module) -> Iterator[None]:
    """Context in which all passes through the network share one bfloat16 copy of each weight, which sums their gradients.

    The weights must not change inside it. Without autocast it has no effect.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, FastConv2d | FastConvTranspose2d)]
    try:
        if torch.is_autocast_enabled("cpu"):
            for layer in layers:
                layer.cast = layer.weight.to(torch.get_autocast_dtype("cpu"))
        yield
    finally:
        for layer in layers:
            layer.cast = None
