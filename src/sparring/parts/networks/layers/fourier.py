"""Fourier features: let a small network represent fine detail in few coordinates."""

import torch
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """The coordinates, and sines and cosines of them at doubling frequencies.

        x -> [x, a_k sin(2^k x), a_k cos(2^k x)],  k = 0 .. octaves - 1,  a_k = 2^-k if decaying, else 1

    With decaying amplitudes every octave has the same gradient, so that no octave dominates a gradient penalty.

    Deviation: the coordinates themselves are features, too, because standardised points have no fixed range.

    References:
        Tancik et al. 2020, "Fourier features let networks learn high frequency functions in low dimensional
        domains", arXiv 2006.10739, sec. 6.1 (positional encoding; a_k as in its Eq. 5).

    Arguments:
        octaves: number of frequencies.
        decaying: whether amplitudes halve from octave to octave.

    Shape: (b, p) to (b, p (1 + 2 octaves)).

    >>> FourierFeatures(3, decaying=True)(torch.zeros(1, 1)).tolist()
    [[0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.25]]
    """

    frequencies: Tensor
    amplitudes: Tensor

    def __init__(self, octaves: int, *, decaying: bool) -> None:
        super().__init__()
        frequencies = 2.0 ** torch.arange(octaves)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.register_buffer(
            "amplitudes", 1 / frequencies if decaying else torch.ones(octaves), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        angles = x.float().unsqueeze(1) * self.frequencies.unsqueeze(1)
        waves = [(wave * self.amplitudes.unsqueeze(1)).flatten(1) for wave in (angles.sin(), angles.cos())]
        return torch.cat([x.float(), *waves], dim=1)
