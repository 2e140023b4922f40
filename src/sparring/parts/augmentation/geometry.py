"""Geometric transforms of images, each by numbers of its own: whole-pixel moves by index, and affine warps.

Places outside an image are filled with its reflection (c b a | a b c | c b a), so that no border shows.

References: Karras et al. 2020, "Training generative adversarial networks with limited data", arXiv 2006.06676, appendix B.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.shapes import Image

RowTransform = Callable[[Image, Tensor], Image]  # images (b, c, h, w) and the numbers (b, ...) of each


def on_selected_rows(x: Image, selected: Tensor, transform: RowTransform, numbers: Tensor) -> Image:
    """The images where `selected` (b,) transformed, the others as they are. Only the selected ones cost time, but the caller
    waits for the device.
    """
    rows = selected.nonzero().squeeze(1)
    if len(rows) == 0:
        return x
    if len(rows) == len(x):
        return transform(x, numbers)
    return x.index_copy(0, rows, transform(x[rows], numbers[rows]))


def on_all_rows(x: Image, selected: Tensor, transform: RowTransform, numbers: Tensor) -> Image:
    """As `on_selected_rows`, without a branch: all images are transformed, and those that are not selected are put back."""
    return torch.where(selected[:, None, None, None], transform(x, numbers), x)


def in_float32(transform: RowTransform) -> RowTransform:
    """The transform, computed in float32 (or float64 for such images) under any autocast; the type of the images is kept."""

    def run(x: Image, numbers: Tensor) -> Image:
        precision = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            return transform(x.to(precision), numbers.to(precision)).to(x.dtype)

    return run


def move_pixels(x: Image, moves: Tensor) -> Image:
    """Turn, mirror and shift each image; every value stays what it is.

    Arguments:
        moves: (b, 4) whole numbers: turns by a right angle (0 to 3, even where the image is not square), mirrored left to
            right or not (1 or 0), pixels down, pixels right; in this order.
    """
    height, width = x.shape[2:]
    turns, mirrored, down, right = moves[:, :, None, None].unbind(1)
    rows = _reflect(torch.arange(height, device=x.device)[None, :, None] - down, height)
    columns = _reflect(torch.arange(width, device=x.device)[None, None, :] - right, width)
    columns = torch.where(mirrored == 1, width - 1 - columns, columns)
    place = rows * width + columns
    if height == width:
        place = torch.where(turns % 2 == 1, columns * width + (height - 1 - rows), place)
    place = torch.where(turns >= 2, height * width - 1 - place, place)
    index = place.flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, index).reshape(x.shape)


def _reflect(lines: Tensor, size: int) -> Tensor:
    """Indices below 0 or from `size` on, reflected at the borders; at most `size` beyond them."""
    lines = torch.where(lines < 0, -1 - lines, lines)
    return torch.where(lines >= size, 2 * size - 1 - lines, lines)


def warp(x: Image, matrices: Tensor) -> Image:
    """Each image under a linear map about its centre, by bilinear interpolation.

    Arguments:
        matrices: (b, 2, 2), from the place (x, y) of a pixel of the result, in pixels from the centre, to its place in `x`.
    """
    height, width = x.shape[2:]
    down = torch.arange(height, dtype=x.dtype, device=x.device)[:, None] - (height - 1) / 2
    right = torch.arange(width, dtype=x.dtype, device=x.device) - (width - 1) / 2
    maps = matrices[:, :, :, None, None]  # grid_sample has both sides from -1 to 1
    across = (2 / width) * maps[:, 0, 0] * right + (2 / width) * maps[:, 0, 1] * down
    along = (2 / height) * maps[:, 1, 0] * right + (2 / height) * maps[:, 1, 1] * down
    grid = torch.stack([across, along], 3)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def rotation(angle: Tensor) -> Tensor:
    """Rotations (b, 2, 2) by angles (b,) in radians."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], 1).reshape(-1, 2, 2)
