"""4x4 convolutions of stride 2 that halve and double the size of images, implemented for speed on a CPU.

`DownsampleConv2d` is the 4x4 convolution of stride 2 and padding 1, `UpsampleConv2d` its transpose, and
`LatentConvTranspose2d` the transposed convolution from a latent vector to the first grid: the three layers of a
DCGAN. Up to rounding they equal PyTorch's `Conv2d` and `ConvTranspose2d`, with the same parameters in the same
layout.

With `*` the convolution, x the larger image, w the weight and g the smaller image, the three maps

    downsample(x, w) = x * w        upsample(g, w) = d<g, x * w>/dx        correlate(x, g) = d<g, x * w>/dw

are linear in each argument, and the derivatives of each are the other two. So derivatives of any order need only these
three, and the fastest implementation of each is chosen separately. PyTorch's operators are slow on a CPU where one side
has few channels (1 to 8: the image side of both networks) and, in bfloat16, for the weight's gradient of small images:

- `upsample` to few channels: a 2x2 convolution of stride 1 to four times the channels, then a pixel shuffle; to
  one channel: a matrix product, then a fold. 2.0 to 3.4 times as fast.
- `correlate` in bfloat16 with many input channels: windows as a matrix, then one product. 1.5 times as fast.

Measured on one thread of a Zen 4 (medians of interleaved runs, batch 64, 32x32 images, 64 channels on the other side,
channels-last), in ms in float32 / bfloat16, PyTorch's operator to ours: `upsample` to 1 channel 6.6 to 2.0 / 4.8 to 1.6,
to 3 channels 7.3 to 3.7 / 5.0 to 2.1, to 8 channels 7.0 to 5.3 / 6.3 to 3.0; the layer of the latent, forward and
backward, 6.0 to 1.8 / 4.6 to 1.2; `correlate` of 128 x 8x8 with 256 x 4x4 in bfloat16 9.5 to 6.4. For `downsample`, and
for `correlate` in float32, PyTorch's operators were the fastest of five. On other devices, and while a graph is exported,
PyTorch's operators are used.

References: Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document
processing" (windows as a matrix); Shi et al. 2016, arXiv 1609.05158, and 1609.07009 (a transposed convolution
is a convolution and a pixel shuffle).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

THIN_CHANNELS = 8  # number of channels up to which the implementations for few channels are faster
WIDE_CHANNELS = 128  # number of channels from which the weight's gradient in bfloat16 is faster as a product


class DownsampleConv2d(nn.Module):
    """4x4 convolution of stride 2 and padding 1: (b, inputs, 2h, 2w) to (b, outputs, h, w).

    Arguments:
        inputs: channels in.
        outputs: channels out. `weight` has the layout of `nn.Conv2d`: (outputs, inputs, 4, 4).
        bias: whether to add a learned bias to each channel.
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
        bias: whether to add a learned bias to each channel.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__()
        plain = nn.ConvTranspose2d(inputs, outputs, 4, bias=bias)
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, x: Tensor) -> Tensor:
        return upsample_conv2d(x, self.weight, self.bias)


class LatentConvTranspose2d(nn.Module):
    """Transposed convolution of a 1x1 image, without bias: (b, latent) to (b, outputs, height, width).

    It is computed as one matrix product; the result is in channels-last memory format.

    Arguments:
        latent: dimension of the latent.
        outputs: channels out. `weight` has the layout of `nn.ConvTranspose2d`: (latent, outputs, height,
            width).
        height, width: of the output, in pixels.
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
    return x, weight.view_as(weight)  # not a leaf: see is_gradient_needed


def is_gradient_needed(ctx: Any, index: int) -> bool:
    """Whether this backward pass uses the gradient of this argument.

    `needs_input_grad` is true wherever it could: a gradient penalty, which differentiates with respect to the image alone,
    would compute the gradient of every weight as well. For leaves autograd gives no answer; they are taken as needed.
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
    """View a single channel, whose layout is ambiguous, as channels-last, which the following operators are faster on."""
    return x.reshape(x.shape[0], *x.shape[2:], 1).permute(0, 3, 1, 2) if x.shape[1] == 1 else x


def _upsample(g: Tensor, weight: Tensor) -> Tensor:
    outputs = weight.shape[1]
    if outputs > THIN_CHANNELS or g.device.type != "cpu":
        return F.conv_transpose2d(g, weight, None, 2, 1)
    return _upsample_by_fold(g, weight) if outputs == 1 else _upsample_by_shuffle(g, weight)


def _upsample_by_shuffle(g: Tensor, weight: Tensor) -> Tensor:
    """Kernel row 2q + r adds to row 2(i + q) + r of the padded result: a 2x2 kernel q for each of the 2x2 offsets r."""
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
