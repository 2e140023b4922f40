"""Grid sizes and channel widths of networks for images of any size.

An image of h x w is halved n times, rounding up: h, ceil(h/2), ceil(h/4), ...; n is the whole number, at least 1, that brings
the shorter side nearest to the start grid on a logarithmic scale. A generator starts at the last of these grids and doubles,
cropping one row or column (at the end) wherever the next grid is odd. A discriminator appends a row or column of zeros
wherever a grid is odd, and halves. Where all sides are powers of two neither happens, and the networks are those of the papers.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec

Grid = tuple[int, int]


def image_shape(spec: SampleSpec, network: str) -> tuple[int, int, int]:
    """Channels, height and width of the sample, or a ConfigError where it is a point."""
    if not spec.is_image:
        raise ConfigError(
            f"the {network} network for {spec.numel} coordinates",
            "images",
            "use the network mlp for points",
        )
    channels, height, width = spec.shape
    return channels, height, width


def grid_sizes(height: int, width: int, start: int = 4) -> list[Grid]:
    """Grid sizes from the image's own down to the one nearest to `start`.

    >>> grid_sizes(28, 28), grid_sizes(33, 47)
    ([(28, 28), (14, 14), (7, 7), (4, 4)], [(33, 47), (17, 24), (9, 12), (5, 6)])
    """
    count = max(1, round(math.log2(min(height, width) / start)))
    return [(-(-height // 2**i), -(-width // 2**i)) for i in range(count + 1)]


def channel_widths(count: int, width: int, max_width: int) -> list[int]:
    """Channels of `count` stages, from the image inwards: doubled at each stage, `max_width` at the most.

    >>> channel_widths(4, 64, 256)
    [64, 128, 256, 256]
    """
    return [min(width * 2**i, max_width) for i in range(count)]


def check_widths(width: int, max_width: int) -> None:
    """Raises ConfigError unless 1 <= width <= max_width."""
    if not 1 <= width <= max_width:
        got = f"width {width}, max_width {max_width}"
        raise ConfigError(got, "1 <= width <= max_width", "lower width or raise max_width")


def pad_to_even(x: Tensor) -> Tensor:
    """x with a row and a column of zeros at the end where its height or width is odd."""
    height, width = x.shape[2:]
    return F.pad(x, (0, width % 2, 0, height % 2)) if height % 2 or width % 2 else x


def crop(x: Tensor, grid: Grid) -> Tensor:
    """The first rows and columns of x, as many as the grid has."""
    return x if tuple(x.shape[2:]) == grid else x[:, :, : grid[0], : grid[1]]


def flatten_channels_last(x: Tensor) -> Tensor:
    """Features of a grid (b, c, h, w) as (b, h w c): the order in memory of channels_last, so that nothing is
    copied."""
    return x.permute(0, 2, 3, 1).flatten(1)
