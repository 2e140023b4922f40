"""Transparent images before a network: colours multiplied by alpha, so that what lies under alpha 0 is the same for all.

The networks' side of an image with an alpha channel is (a c, alpha): the colours c in [-1, 1] are multiplied by their opacity
a = (alpha + 1) / 2 in [0, 1], around grey. Files, arrays and metrics hold the colours themselves.
"""

import torch
from torch import Tensor

ALPHA_CHANNELS = 4  # colour and alpha
MIN_OPACITY = 0.5 / 255  # of a pixel whose alpha is not rounded to 0


def premultiply(x: Tensor) -> Tensor:
    """Multiply the colours of images by their opacity; samples without an alpha channel are returned as they are.

    References: Porter & Duff 1984, "Compositing digital images", doi:10.1145/800031.808606, section 3 (around grey instead of
    black here, the middle of [-1, 1]).

    Shape: (b, c, h, w) to (b, c, h, w), in [-1, 1].

    >>> premultiply(torch.tensor([0.5, -0.5, 1.0, -1.0]).reshape(1, 4, 1, 1)).flatten().tolist()
    [0.0, -0.0, 0.0, -1.0]
    """
    if not has_alpha(x):
        return x
    return torch.cat([x[:, :-1] * ((x[:, -1:] + 1) / 2), x[:, -1:]], 1)


def unpremultiply(x: Tensor) -> Tensor:
    """Divide the colours of images by their opacity, the inverse of `premultiply`; where alpha is 0 in 8 bits they become grey.

    Shape: (b, c, h, w) to (b, c, h, w).
    """
    if not has_alpha(x):
        return x
    opacity = (x[:, -1:] + 1) / 2
    colours = torch.where(
        opacity < MIN_OPACITY, 0.0, (x[:, :-1] / opacity.clamp_min(MIN_OPACITY)).clamp(-1, 1)
    )
    return torch.cat([colours, x[:, -1:]], 1)


def has_alpha(x: Tensor) -> bool:
    """Whether samples (b, *sample) are images with an alpha channel."""
    return x.ndim == 4 and x.shape[1] == ALPHA_CHANNELS
