"""Colour transforms of images by one affine map of their channels each.

References: Karras et al. 2020, "Training generative adversarial networks with limited data", arXiv 2006.06676, appendix B.
"""

import math

import torch
from torch import Tensor

from sparring.core.shapes import Image


def num_colour_channels(x: Image) -> int:
    """Channels without an alpha channel, which is the last one of 2 or 4."""
    return x.shape[1] - (x.shape[1] in (2, 4))


def colour_matrices(
    channels: int, brightness: Tensor, contrast: Tensor, luma: Tensor, hue: Tensor, saturation: Tensor
) -> Tensor:
    """Affine maps (b, channels, channels + 1) of colours; the last column is added.

        y = luma contrast P (x + brightness) + saturation contrast R(hue) (1 - P) x

    P projects on the grey axis (1, ..., 1), and R rotates about it: grey stays grey, and its lightness depends on the first
    three numbers alone.

    Arguments:
        channels: n; with other than 3 there is no hue.
        brightness: (b,), in units of the image, [-1, 1].
        contrast: factors (b,). saturation: factors (b,).
        luma: 1, or -1 to exchange light and dark (b,).
        hue: angles (b,) in radians.
    """
    grey = brightness.new_full((channels, channels), 1 / channels)
    identity = torch.eye(channels, dtype=grey.dtype, device=grey.device)
    chroma = identity - grey
    maps = (luma * contrast)[:, None, None] * grey
    strength = (saturation * contrast)[:, None, None]
    if channels == 3:
        turn = (identity.roll(1, 0) - identity.roll(1, 1)) / math.sqrt(
            3
        )  # the cross product with the grey axis
        maps = maps + strength * (hue.cos()[:, None, None] * chroma + hue.sin()[:, None, None] * turn)
    else:
        maps = maps + strength * chroma
    added = (luma * contrast * brightness)[:, None, None].expand(-1, channels, 1)
    return torch.cat([maps, added], 2)


def recolour(x: Image, maps: Tensor) -> Image:
    """Each image under its affine map of colours (b, n, n + 1); channels beyond the n-th are kept.

    Colours that are multiplied by alpha stay so: what is added to them is multiplied by it, too.
    """
    channels = maps.shape[1]
    colours = x[:, :channels].flatten(2)
    if channels == x.shape[1]:
        return torch.baddbmm(maps[:, :, -1:], maps[:, :, :-1], colours).unflatten(2, x.shape[2:])
    alpha = x[:, channels:]
    added = maps[:, :, -1:] * ((alpha.flatten(2) + 1) / 2)
    return torch.cat([torch.baddbmm(added, maps[:, :, :-1], colours).unflatten(2, x.shape[2:]), alpha], 1)
