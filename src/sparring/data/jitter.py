"""Random crops of slightly enlarged pictures, which can be repeated exactly on a partner."""

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.shapes import Image


def jittered(x: Image, places: Tensor, jitter: float) -> Image:
    """Each picture enlarged (bilinear) by 1 + jitter, and a window of the old size cut out of it.

    The window's corner is floor(place * (room + 1)) pixels from the top and the left, where room is what the enlarging added.
    Two sets of pictures of one size that are given the same places stay aligned, pixel for pixel.

    References:
        Isola et al. 2017, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004, section 6.2 (286 to
        256 pixels: a jitter of 0.117).

    Arguments:
        x: (b, c, h, w).
        places: where each window lies (b, 2) in [0, 1), down and across.
        jitter: share by which each side grows; a side grows by whole pixels.

    >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> bool((jittered(x, torch.zeros(1, 2), 0.0) == x).all())
    True
    """
    height, width = x.shape[2:]
    room = [round(height * jitter), round(width * jitter)]
    if not any(room):
        return x
    larger = F.interpolate(x, (height + room[0], width + room[1]), mode="bilinear", align_corners=False)
    corners = (places * torch.tensor([side + 1.0 for side in room])).floor().long().tolist()
    windows = [
        picture[:, top : top + height, left : left + width]
        for picture, (top, left) in zip(larger, corners, strict=True)
    ]
    return torch.stack(windows).contiguous(memory_format=torch.channels_last)
