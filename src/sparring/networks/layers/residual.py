"""Residual blocks of generators and discriminators, with nearest up-sampling and mean down-sampling.

References: Miyato et al. 2018, arXiv 1802.05957, appendix B.4, figures 8 and 9 (after Gulrajani et al. 2017,
arXiv 1704.00028, appendix F). Initialised with Glorot's uniform law, with a gain of sqrt(2) in the branches.
"""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from sparring.networks.layers.sizes import Grid, crop


class UpBlock(nn.Module):
    """A generator's block: BN, ReLU, up, 3x3, BN, ReLU, 3x3, beside up, 1x1.

    Arguments:
        inputs, outputs: channels.
        grid: height and width of the result: the double of the input's, or one less.

    Shape: (b, inputs, ., .) to (b, outputs, *grid).
    """

    def __init__(self, inputs: int, outputs: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.norms = nn.ModuleList([nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)])
        self.convs = nn.ModuleList([_conv(inputs, outputs, 3), _conv(outputs, outputs, 3)])
        self.skip = _conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.convs[0](self._up(F.relu_(self.norms[0](x))))
        h = self.convs[1](F.relu_(self.norms[1](h)))
        return h + self._up(self.skip(x))  # 1x1 before up: the same function, a quarter of the work

    def _up(self, x: Tensor) -> Tensor:
        return crop(F.interpolate(x, scale_factor=2, mode="nearest"), self.grid)


class DownBlock(nn.Module):
    """A discriminator's block: ReLU, 3x3, ReLU, 3x3, mean of 2x2, beside 1x1, mean of 2x2.

    Odd sides: the last mean is over the row or column that is there.

    Arguments:
        inputs, outputs: channels.
        down: whether the grid is halved (to the ceiling).
        first: whether this is the block on the picture, which has no activation in front and pools before the
            1x1.

    Shape: (b, inputs, h, w) to (b, outputs, ceil(h/2), ceil(w/2)).
    """

    def __init__(self, inputs: int, outputs: int, *, down: bool = True, first: bool = False) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.convs = nn.ModuleList([_conv(inputs, outputs, 3), _conv(outputs, outputs, 3)])
        self.skip = _conv(inputs, outputs, 1) if down or inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.convs[0](x if self.first else F.relu(x))
        h = self._pool(self.convs[1](F.relu_(h)))
        x = self._pool(x)  # before the 1x1: the same function, a quarter of the work
        return h + (x if self.skip is None else self.skip(x))

    def _pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2, ceil_mode=True) if self.down else x


def _conv(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, size, padding=size // 2)
    nn.init.xavier_uniform_(conv.weight, math.sqrt(2) if size > 1 else 1.0)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    return conv
