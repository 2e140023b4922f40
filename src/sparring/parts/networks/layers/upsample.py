"""Convolutions that double the size of images (transposed, nearest neighbour, sub-pixel), and one that halves it."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.parts.networks.layers.conv import FastConvTranspose2d, make_upsample_conv
from sparring.parts.networks.layers.residual import conv_down, up_conv

Upsample = Literal["transposed", "nearest", "subpixel"]


class ConvTranspose3x3(FastConvTranspose2d):
    """Transposed 3x3 convolution of stride 2, (b, i, h, w) to (b, o, 2h, 2w): CycleGAN's up-sampling layers."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, 2, 1, output_padding=1, bias=bias)


class NearestConv2d(nn.Module):
    """Nearest-neighbour up-sampling, then a 3x3 convolution: (b, i, h, w) to (b, o, 2h, 2w).

    Computed as one transposed 4x4 convolution, whose kernel is the sum of the 3x3 kernel at four offsets: the same function
    for 16/36 of the multiplications.

    References: Odena, Dumoulin & Olah 2016, "Deconvolution and checkerboard artifacts", Distill, 10.23915/distill.00003.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return up_conv(x, self.weight, self.bias)


class ConvMeanPool2d(nn.Module):
    """A 3x3 convolution, then the mean of each 2x2 block: (b, i, 2h, 2w) to (b, o, h, w).

    Computed as one 4x4 convolution of stride 2. All pixels have the same weight, so that the gradient has no checkerboard either.

    References: as for `NearestConv2d`.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return conv_down(x, self.weight, self.bias)


class SubpixelConv2d(nn.Module):
    """A 3x3 convolution to four times the channels, then a pixel shuffle: (b, i, h, w) to (b, o, 2h, 2w).

    References: Shi et al. 2016, arXiv 1609.05158, Eq. 4.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(4 * outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        y = F.pixel_shuffle(F.conv2d(x, self.weight, self.bias, padding=1), 2)
        return y.contiguous(memory_format=torch.channels_last)


def make_upsample(
    kind: Upsample, inputs: int, outputs: int, *, kernel: Literal[3, 4], bias: bool
) -> nn.Module:
    """The up-sampling layer of this kind, which doubles height and width; `kernel` is the size of a transposed convolution."""
    if kind == "nearest":
        return NearestConv2d(inputs, outputs, bias)
    if kind == "subpixel":
        return SubpixelConv2d(inputs, outputs, bias)
    return (
        ConvTranspose3x3(inputs, outputs, bias) if kernel == 3 else make_upsample_conv(inputs, outputs, bias)
    )
