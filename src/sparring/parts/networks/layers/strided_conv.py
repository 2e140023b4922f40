"""4x4 convolutions of stride 2 that halve and double images, in the forms that are fastest on a CPU.

`HalvingConv2d` is the 4x4 convolution of stride 2 and padding 1, `DoublingConv2d` its transpose, and
`LatentConv2d` the transposed convolution that turns a latent into the first grid: the three layers of a
DCGAN. Up to rounding they are PyTorch's `Conv2d` and `ConvTranspose2d`, with the same parameters in the same
layout.

With `*` the halving convolution, a loss L, x the larger image, w the weight and g the smaller one, the three
maps

    halve(x, w) = x * w        double(g, w) = d<g, x * w>/dx        correlate(x, g) = d<g, x * w>/dw

are linear in either argument and each one's derivatives are the other two. So every derivative of any order
is one of three forms, and each form is chosen for itself. The plain forms waste a CPU's time where one side
has few channels (1-8: the ends of both networks) and, in bfloat16, in the weight's gradient at small sizes:

- `double` to few channels: a 2x2 convolution of stride 1 to four times the channels, then a pixel shuffle; to
  a single channel: a product, then a fold. 2.0-3.4 times as fast as the plain form.
- `correlate` in bfloat16 with wide inputs: windows laid out as a matrix, then one product. 1.5 times.

Medians of interleaved runs at batch 64, 32x32 images, 64 channels on the other side, channels_last, one
thread of a Zen 4, float32 / bfloat16, ms, plain to ours: `double` to 1 channel 6.6 to 2.0 / 4.8 to 1.6, to 3
channels 7.3 to 3.7 / 5.0 to 2.1, to 8 channels 7.0 to 5.3 / 6.3 to 3.0; the latent's layer, forward and
backward, 6.0 to 1.8 / 4.6 to 1.2; `correlate` of 128 x 8x8 with 256 x 4x4 in bfloat16 9.5 to 6.4. The plain
forms of `halve` and of float32's `correlate` were the fastest of five. On other devices, and where a graph is
being exported, the plain operators run.

References: Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document
processing" (windows as a matrix); Shi et al. 2016, arXiv 1609.05158, and 1609.07009 (a transposed convolution
is a convolution and a pixel shuffle).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

THIN_CHANNELS = 8  # channels up to which the thin forms are faster
WIDE_CHANNELS = 128  # channels from which the weight's gradient in bfloat16 is faster as a product


class DownsampleConv2d(nn.Module):
    """4x4 convolution of stride 2 and padding 1: (b, inputs, 2h, 2w) to (b, outputs, h, w).

    Arguments:
        inputs: channels in.
        outputs: channels out. `weight` has the layout of `nn.Conv2d`: (outputs, inputs, 4, 4).
        bias: whether a number a channel is added.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        plain = nn.Conv2d(inputs, outputs, 4, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, x: Tensor) -> Tensor:
        return downsample_conv2d(x, self.weight, self.bias)


class UpsampleConv2d(nn.Module):
    """4x4 transposed convolution of stride 2 and padding 1: (b, inputs, h, w) to (b, outputs, 2h, 2w).

    Arguments:
        inputs: channels in.
        outputs: channels out. `weight` has the layout of `nn.ConvTranspose2d`: (inputs, outputs, 4, 4).
        bias: whether a number a channel is added.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        plain = nn.ConvTranspose2d(inputs, outputs, 4, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, x: Tensor) -> Tensor:
        return upsample_conv2d(x, self.weight, self.bias)


class LatentConvTranspose2d(nn.Module):
    """Transposed convolution of a 1x1 image, without bias: a latent (b, latent) to (b, outputs, height,
    width).

    It is one product; the result lies in memory as channels_last does.

    Arguments:
        latent: numbers in.
        outputs: channels out. `weight` has the layout of `nn.ConvTranspose2d`: (latent, outputs, height,
            width).
        height, width: of the grid.
    """

    def __init__(self, latent: int, outputs: int, height: int, width: int) -> None:
        super().__init__()
        self.weight = nn.ConvTranspose2d(latent, outputs, (height, width), bias=False).weight

    def forward(self, z: Tensor) -> Tensor:
        latent, outputs, height, width = self.weight.shape
        product = z @ self.weight.permute(0, 2, 3, 1).reshape(latent, -1)
        return product.view(-1, height, width, outputs).permute(0, 3, 1, 2)


def downsample_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.conv2d` of stride 2 and padding 1 with a kernel of 4x4, for even heights and widths."""
    if use_plain_operator(x):
        return F.conv2d(x, weight, bias, 2, 1)
    return add_bias(_Downsample.apply(*cast_to_autocast(x, weight)), bias)


def upsample_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`F.conv_transpose2d` of stride 2 and padding 1 with a kernel of 4x4."""
    if use_plain_operator(x):
        return F.conv_transpose2d(x, weight, bias, 2, 1)
    return add_bias(_Upsample.apply(*cast_to_autocast(x, weight)), bias)


def use_plain_operator(x: Tensor) -> bool:
    exporting = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return x.device.type != "cpu" or exporting


def add_bias(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + bias.to(x.dtype).view(-1, 1, 1)


def cast_to_autocast(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight = x.to(dtype), weight.to(dtype)
    return x, weight.view_as(weight)  # a view is no leaf: see _wanted


def is_gradient_needed(ctx: Any, index: int) -> bool:
    """Whether this backward pass will use the gradient of this argument.

    `needs_input_grad` says only that it could: a gradient penalty asks for the gradient of the image alone, and
    would pay for that of every weight as well. The engine can't tell of leaves, which are taken as wanted.
    """
    node = ctx.next_functions[index][0]
    if node is None or node.name().endswith("AccumulateGrad"):
        return node is not None
    return torch._C._will_engine_execute_node(node)


class _Downsample(torch.autograd.Function):
    """x (b, i, 2h, 2w), w (o, i, 4, 4) to (b, o, h, w)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(_channels_last(x), weight, None, 2, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        to_x = _Upsample.apply(gradient, weight) if is_gradient_needed(ctx, 0) else None
        to_weight = _Correlate.apply(x, gradient) if is_gradient_needed(ctx, 1) else None
        return to_x, to_weight


class _Upsample(torch.autograd.Function):
    """g (b, o, h, w), w (o, i, 4, 4) to (b, i, 2h, 2w)."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(g, weight)
        return _upsample(g, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        g, weight = ctx.saved_tensors
        to_g = _Downsample.apply(gradient, weight) if is_gradient_needed(ctx, 0) else None
        to_weight = _Correlate.apply(gradient, g) if is_gradient_needed(ctx, 1) else None
        return to_g, to_weight


class _Correlate(torch.autograd.Function):
    """x (b, i, 2h, 2w), g (b, o, h, w) to (o, i, 4, 4)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, g: Tensor) -> Tensor:
        ctx.save_for_backward(x, g)
        return _correlate(x, g)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, g = ctx.saved_tensors
        to_x = _Upsample.apply(g, gradient) if is_gradient_needed(ctx, 0) else None
        to_g = _Downsample.apply(x, gradient) if is_gradient_needed(ctx, 1) else None
        return to_x, to_g


def _channels_last(x: Tensor) -> Tensor:
    """A single channel lies alike in both layouts; say channels_last, or what follows takes the slow one."""
    return x.reshape(x.shape[0], *x.shape[2:], 1).permute(0, 3, 1, 2) if x.shape[1] == 1 else x


def _upsample(g: Tensor, weight: Tensor) -> Tensor:
    outputs = weight.shape[1]
    if outputs > THIN_CHANNELS or g.device.type != "cpu":
        return F.conv_transpose2d(g, weight, None, 2, 1)
    return _upsample_by_fold(g, weight) if outputs == 1 else _upsample_by_shuffle(g, weight)


def _upsample_by_shuffle(g: Tensor, weight: Tensor) -> Tensor:
    """Kernel row 2q + r adds to row 2(i + q) + r of the padded result: a 2x2 kernel q for each of the 2x2
    offsets r."""
    inputs, outputs = weight.shape[:2]
    kernel = weight.reshape(inputs, outputs, 2, 2, 2, 2).flip(2, 4)  # inputs, outputs, q, r, q', r'
    kernel = kernel.permute(1, 3, 5, 0, 2, 4).reshape(4 * outputs, inputs, 2, 2)
    padded = F.pixel_shuffle(F.conv2d(g, kernel, None, 1, 1), 2)
    return padded[:, :, 1:-1, 1:-1].contiguous(memory_format=torch.channels_last)


def _upsample_by_fold(g: Tensor, weight: Tensor) -> Tensor:
    inputs, outputs = weight.shape[:2]
    kernel = weight.permute(1, 2, 3, 0).reshape(16 * outputs, inputs, 1, 1)
    windows = F.conv2d(g, kernel).flatten(2)
    return _channels_last(F.fold(windows, (2 * g.shape[2], 2 * g.shape[3]), 4, padding=1, stride=2))


def _correlate(x: Tensor, g: Tensor) -> Tensor:
    shape = (g.shape[1], x.shape[1], 4, 4)
    if x.dtype == torch.bfloat16 and x.device.type == "cpu" and shape[1] >= WIDE_CHANNELS and g.shape[2] <= 4:
        return _correlate_by_product(x, g)
    mask = [False, True, False]
    empty = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
    return torch.ops.aten.convolution_backward(
        g, x, empty, None, [2, 2], [1, 1], [1, 1], False, [0, 0], 1, mask
    )[1]


def _correlate_by_product(x: Tensor, g: Tensor) -> Tensor:
    padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1).contiguous()
    windows = padded.unfold(1, 4, 2).unfold(2, 4, 2).permute(0, 1, 2, 4, 5, 3)  # b, h, w, 4, 4, i
    matrix = windows.reshape(-1, 16 * x.shape[1])
    product = g.permute(0, 2, 3, 1).reshape(-1, g.shape[1]).t() @ matrix
    return product.view(g.shape[1], 4, 4, x.shape[1]).permute(0, 3, 1, 2)
