"""Fourier features: let a small network see fine detail in few coordinates."""

import math

import torch
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """The coordinates, and sines and cosines of them at doubling frequencies.

        x -> [x, sin(w_k x), cos(w_k x)],  w_k = 2 pi 2^k / period,  k = 0 .. octaves - 1

    Deviation: the coordinates are kept beside the waves, because standardised points have no fixed range.

    References:
        Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional
        domains", arXiv 2006.10739, sec. 6.1 (positional encoding).

    Arguments:
        octaves: number of frequencies.
        period: of the slowest wave, in units of the coordinates; 8 spans 4 standard deviations either side.

    Shape: (b, p) to (b, p (1 + 2 octaves)).

    >>> FourierFeatures(3)(torch.zeros(1, 1)).tolist()
    [[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]]
    """

    frequencies: Tensor

    def __init__(self, octaves: int, period: float = 8.0) -> None:
        super().__init__()
        frequencies = 2 * math.pi / period * 2.0 ** torch.arange(octaves)
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angles = (x.float().unsqueeze(1) * self.frequencies.unsqueeze(1)).flatten(1)
        return torch.cat([x.float(), angles.sin(), angles.cos()], dim=1)
