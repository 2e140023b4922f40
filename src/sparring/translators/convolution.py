"""Convolutions of any kernel and stride, in the forms that are fastest on a CPU.

As in `networks/layers/thin.py`: the three maps

    conv(x, w) = x * w        spread(g, w) = d<g, x * w>/dx        correlate(x, g) = d<g, x * w>/dw

are linear in either argument and each one's derivatives are the other two. Where pictures are small and channels many (the inner
grids of a U-Net, the last layers of a judge, residual blocks) PyTorch's operators run at a tenth to a half of what one matrix
product with the windows reaches, as weights that lie channels-last are that matrix already.

One thread of a Zen 4, bfloat16, GFLOP/s of the plain operators and of the product: 512 to 512 channels, 4x4 to 2x2, batch 8: conv
32 and 143, correlate 10 and 125; 256 to 512, 8x8 to 7x7: correlate 101 and 181; blocks of 256 at 16x16: correlate 139 and 205.

References: Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document processing".
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.networks.layers import thin

FEW = 128  # windows up to which conv and spread are faster as products
SOME = 4096  # windows up to which correlate is
CACHED = 1024  # windows that are laid out at a time
WIDE = 64  # channels from which they are


class Geometry(NamedTuple):
    """Of a convolution, and height and width of its larger side."""

    kernel: int
    stride: int
    padding: int
    height: int
    width: int


class Conv(nn.Conv2d):
    """`nn.Conv2d` with a square kernel, the same stride and padding both ways."""

    cast: Tensor | None = None  # the weight in what networks compute in: see `casting`

    def forward(self, x: Tensor) -> Tensor:
        if _plain(x):
            return super().forward(x)
        geometry = Geometry(self.kernel_size[0], self.stride[0], int(self.padding[0]), x.shape[2], x.shape[3])
        return thin._add(_Conv.apply(*_cast(x, self.weight, self.cast), geometry), self.bias)


class Transposed(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` of stride 2 that doubles the grid."""

    cast: Tensor | None = None

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if _plain(x):
            return super().forward(x, output_size)
        geometry = Geometry(self.kernel_size[0], 2, int(self.padding[0]), 2 * x.shape[2], 2 * x.shape[3])
        return thin._add(_Spread.apply(*_cast(x, self.weight, self.cast), geometry), self.bias)


def halving(inputs: int, outputs: int, bias: bool) -> nn.Module:
    """The 4x4 convolution of stride 2 and padding 1."""
    if inputs <= thin.THIN:
        return thin.HalvingConv2d(inputs, outputs, bias)
    return Conv(inputs, outputs, 4, 2, 1, bias=bias)


def doubling(inputs: int, outputs: int, bias: bool) -> nn.Module:
    """Its transpose."""
    if outputs <= thin.THIN:
        return thin.DoublingConv2d(inputs, outputs, bias)
    return Transposed(inputs, outputs, 4, 2, 1, bias=bias)


def _plain(x: Tensor) -> bool:
    return x.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing()


def _cast(x: Tensor, weight: Tensor, cast: Tensor | None) -> tuple[Tensor, Tensor]:
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight = x.to(dtype), weight.to(dtype) if cast is None else cast
    return x, weight.view_as(weight)  # a view is no leaf: see thin.wanted


class _Conv(torch.autograd.Function):
    """x (b, i, H, W), w (o, i, k, k) to (b, o, h, w)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, at: Geometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.at = at
        return _conv(x, weight, at)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        to_x = _Spread.apply(gradient, weight, ctx.at) if thin._wanted(ctx, 0) else None
        to_weight = _Correlate.apply(x, gradient, ctx.at) if thin._wanted(ctx, 1) else None
        return to_x, to_weight, None


class _Spread(torch.autograd.Function):
    """g (b, o, h, w), w (o, i, k, k) to (b, i, H, W)."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, weight: Tensor, at: Geometry) -> Tensor:
        ctx.save_for_backward(g, weight)
        ctx.at = at
        return _spread(g, weight, at)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        g, weight = ctx.saved_tensors
        to_g = _Conv.apply(gradient, weight, ctx.at) if thin._wanted(ctx, 0) else None
        to_weight = _Correlate.apply(gradient, g, ctx.at) if thin._wanted(ctx, 1) else None
        return to_g, to_weight, None


class _Correlate(torch.autograd.Function):
    """x (b, i, H, W), g (b, o, h, w) to (o, i, k, k)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor, at: Geometry) -> Tensor:
        ctx.save_for_backward(x, g)
        ctx.at = at
        return _correlate(x, g, at)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, g = ctx.saved_tensors
        to_x = _Spread.apply(g, gradient, ctx.at) if thin._wanted(ctx, 0) else None
        to_g = _Conv.apply(x, gradient, ctx.at) if thin._wanted(ctx, 1) else None
        return to_x, to_g, None


def _conv(x: Tensor, weight: Tensor, at: Geometry) -> Tensor:
    grid = [(side + 2 * at.padding - at.kernel) // at.stride + 1 for side in at[3:]]
    if x.shape[0] * grid[0] * grid[1] > FEW or min(weight.shape[:2]) < WIDE:
        return F.conv2d(x, weight, None, at.stride, at.padding)
    product = _windows(x, at) @ _matrix(weight).t()
    return product.view(x.shape[0], *grid, -1).permute(0, 3, 1, 2)


def _spread(g: Tensor, weight: Tensor, at: Geometry) -> Tensor:
    batch, outputs, height, width = g.shape
    if batch * height * width > FEW or min(weight.shape[:2]) < WIDE:
        rest = [
            side - (grid - 1) * at.stride + 2 * at.padding - at.kernel
            for side, grid in zip(at[3:], g.shape[2:], strict=True)
        ]
        return F.conv_transpose2d(g, weight, None, at.stride, at.padding, rest)
    product = g.permute(0, 2, 3, 1).reshape(-1, outputs) @ _matrix(weight)
    windows = product.view(batch, height, width, at.kernel, at.kernel, -1)
    sides = at.height + 2 * at.padding, at.width + 2 * at.padding
    padded = torch.zeros(batch, *sides, weight.shape[1], dtype=torch.promote_types(g.dtype, torch.float32))
    for row in range(at.kernel):
        for column in range(at.kernel):
            rows = slice(row, row + at.stride * (height - 1) + 1, at.stride)
            columns = slice(column, column + at.stride * (width - 1) + 1, at.stride)
            padded[:, rows, columns] += windows[:, :, :, row, column]
    inner = padded[:, at.padding : sides[0] - at.padding, at.padding : sides[1] - at.padding]
    return inner.to(g.dtype).contiguous().permute(0, 3, 1, 2)


def _correlate(x: Tensor, g: Tensor, at: Geometry) -> Tensor:
    inputs, outputs = x.shape[1], g.shape[1]
    if g.shape[0] * g.shape[2] * g.shape[3] <= SOME and min(inputs, outputs) >= WIDE:
        product = _products(x, g, at)
        return product.view(outputs, at.kernel, at.kernel, inputs).permute(0, 3, 1, 2)
    shape = (outputs, inputs, at.kernel, at.kernel)
    empty = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
    pair, mask = ([at.stride] * 2, [at.padding] * 2), [False, True, False]
    return torch.ops.aten.convolution_backward(g, x, empty, None, *pair, [1, 1], False, [0, 0], 1, mask)[1]


def _products(x: Tensor, g: Tensor, at: Geometry) -> Tensor:
    """(o, k k i): a few pictures at a time, so that the windows stay in the cache."""
    count = max(1, CACHED // (g.shape[2] * g.shape[3]))
    total: Tensor | None = None
    for some, slopes in zip(x.split(count), g.split(count), strict=True):
        part = slopes.permute(0, 2, 3, 1).reshape(-1, g.shape[1]).t() @ _windows(some, at)
        total = part if total is None else total + part
    assert total is not None
    return total


def _windows(x: Tensor, at: Geometry) -> Tensor:
    """What each place of the kernel sees, (b h w, k k i)."""
    padded = F.pad(x, [at.padding] * 4) if at.padding else x
    windows = padded.permute(0, 2, 3, 1).contiguous().unfold(1, at.kernel, at.stride)
    windows = windows.unfold(2, at.kernel, at.stride).permute(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, at.kernel * at.kernel * x.shape[1])


def _matrix(weight: Tensor) -> Tensor:
    """(o, k k i): where the weight lies channels-last, a view."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)
