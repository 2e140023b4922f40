"""One antialiased bicubic resize, fixed here, so that scores do not depend on a library's version."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

RESIZE_METHOD = "antialiased bicubic"


@cache
def bicubic_matrix(old: int, new: int) -> Tensor:
    """The matrix of antialiased bicubic interpolation (Keys, a = -0.5) along one side: float32 (new, old).

    >>> bicubic_matrix(4, 2).sum(1).tolist()
    [1.0, 1.0]
    """
    stretch = max(1.0, old / new)
    centres = (np.arange(new) + 0.5) * old / new
    distances = np.abs((np.arange(old) + 0.5 - centres[:, None]) / stretch)
    near = (1.5 * distances - 2.5) * distances**2 + 1
    far = ((-0.5 * distances + 2.5) * distances - 4) * distances + 2
    values = np.where(distances < 1, near, np.where(distances < 2, far, 0))
    return torch.from_numpy(values / values.sum(1, keepdims=True)).float()


@cache
def tensorflow_bilinear_matrix(old: int, new: int) -> Tensor:
    """The matrix of TensorFlow 1's bilinear interpolation (without antialiasing, corners aligned at 0): float32 (new, old).

    >>> tensorflow_bilinear_matrix(2, 4).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 1.0]]
    """
    places = np.arange(new, dtype=np.float32) * np.float32(old / new)
    left = np.floor(places).astype(np.int64)
    matrix = np.zeros((new, old), np.float32)
    np.add.at(matrix, (np.arange(new), left), 1 - (places - left))
    np.add.at(matrix, (np.arange(new), np.minimum(left + 1, old - 1)), places - left)
    return torch.from_numpy(matrix)


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """Resize images (n, c, h, w) with values in [0, 255] to float32 (n, c, height, width); overshoots are clamped."""
    x = images.float()
    old_height, old_width = x.shape[-2:]
    if (old_height, old_width) == (height, width):
        return x
    if old_height != height:
        x = torch.matmul(bicubic_matrix(old_height, height).to(x.device), x)
    if old_width != width:
        x = torch.matmul(x, bicubic_matrix(old_width, width).to(x.device).t())
    return x.clamp_(0, 255)


def to_nchw(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """uint8 images (n, h, w, c) as float32 (n, 1 or 3, h, w) in [0, 255]; transparent ones are put on white."""
    x = (
        torch.from_numpy(np.require(images, requirements="W"))
        .to(device)
        .permute(0, 3, 1, 2)
        .float()
        .contiguous()
    )
    if x.shape[1] == 4:
        alpha = x[:, 3:] / 255
        x = x[:, :3] * alpha + 255 * (1 - alpha)
    return x


def to_rgb(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """uint8 images (n, h, w, c) as float32 (n, 3, h, w) in [0, 255]; grey is repeated three times."""
    x = to_nchw(images, device)
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
