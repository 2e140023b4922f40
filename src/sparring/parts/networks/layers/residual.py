"""Residual blocks of generators and discriminators, with nearest up-sampling and mean down-sampling.

A 3x3 convolution after nearest up-sampling, or before 2x2 mean pooling, equals one 4x4 convolution of stride 2, whose
kernel is the sum of the 3x3 kernel at four offsets: the same function and parameters for 16/36 of the multiplications.

References: Miyato et al. 2018, arXiv 1802.05957, appendix B.4, figures 8 and 9 (after Gulrajani et al. 2017,
arXiv 1704.00028, appendix F). The weights have Glorot's uniform initialisation, with a gain
of sqrt(2) for 3x3 convolutions.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.parts.networks.layers.sizes import Grid, crop
from sparring.parts.networks.layers.strided_conv import downsample_conv2d, upsample_conv2d

# (16, 9): which pixels of a 3x3 kernel are added in each pixel of the 4x4 kernel
FOUR_OFFSETS = F.conv_transpose2d(torch.eye(9).view(9, 1, 3, 3), torch.ones(1, 1, 2, 2)).flatten(1).T


class UpBlock(nn.Module):
    """A generator's block: batch norm, ReLU, up, 3x3, batch norm, ReLU, 3x3; the skip connection is up, 1x1.

    Arguments:
        inputs, outputs: channels.
        grid: height and width of the output: twice those of the input, or one less.

    Shape: (b, inputs, ., .) to (b, outputs, *grid).
    """

    def __init__(self, inputs: int, outputs: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.norms = nn.ModuleList([nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)])
        self.enter, self.leave = _conv(inputs, outputs, 3), _conv(outputs, outputs, 3)
        self.skip = _conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = crop(up_conv(F.relu_(self.norms[0](x)), self.enter.weight, self.enter.bias), self.grid)
        h = self.leave(F.relu_(self.norms[1](h)))
        skip = self.skip(x)  # 1x1 before up-sampling: the same function at a quarter of the cost
        return h + crop(F.interpolate(skip, scale_factor=2, mode="nearest"), self.grid)


class DownBlock(nn.Module):
    """A discriminator's block: ReLU, 3x3, ReLU, 3x3, 2x2 mean pooling; the skip connection is 1x1, 2x2 mean pooling.

    For odd sizes, the last mean is over the one row or column that remains.

    Arguments:
        inputs, outputs: channels.
        down: whether height and width are halved, rounded up.
        first: whether the input is the image; then there is no activation before the first convolution.

    Shape: (b, inputs, h, w) to (b, outputs, ceil(h/2), ceil(w/2)).
    """

    def __init__(self, inputs: int, outputs: int, *, down: bool = True, first: bool = False) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.enter, self.leave = _conv(inputs, outputs, 3), _conv(outputs, outputs, 3)
        self.skip = _conv(inputs, outputs, 1) if down or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu_(self.enter(x if self.first else F.relu(x)))
        h = conv_down(h, self.leave.weight, self.leave.bias) if self.down else self.leave(h)
        x = _mean_pool(x) if self.down else x  # before the 1x1: the same function at a quarter of the cost
        return h + (x if self.skip is None else self.skip(x))


def up_conv(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Nearest up-sampling, then a 3x3 convolution of padding 1: (b, i, h, w) to (b, o, 2h, 2w)."""
    return upsample_conv2d(x, _add_four_offsets(weight).flip(2, 3).transpose(0, 1), bias)


def conv_down(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 3x3 convolution of padding 1, then 2x2 mean pooling: (b, i, h, w) to (b, o, ceil(h/2), ceil(w/2))."""
    if x.shape[2] % 2 or x.shape[3] % 2:
        return _mean_pool(F.conv2d(x, weight, bias, padding=1))
    return downsample_conv2d(x, _add_four_offsets(weight) / 4, bias)


def _add_four_offsets(weight: Tensor) -> Tensor:
    """The full correlation of a 3x3 kernel with a 2x2 kernel of ones: (o, i, 3, 3) to (o, i, 4, 4), in channels-last format.

    It is one product of matrices, a third of the time of four additions of padded kernels.
    """
    rows = weight.permute(0, 2, 3, 1).flatten(1, 2)
    sums = FOUR_OFFSETS.to(weight) @ rows
    return sums.unflatten(1, (4, 4)).permute(0, 3, 1, 2)


def _mean_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 2, ceil_mode=True)


def _conv(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, size, padding=size // 2)
    nn.init.xavier_uniform_(conv.weight, math.sqrt(2) if size > 1 else 1.0)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
