"""Weight clipping of WGAN: every weight of the critic is clamped to an interval."""

from dataclasses import dataclass

import torch
from torch import nn

from sparring.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class WeightClip:
    """Clamps every weight of the critic to [-limit, limit] after each of its updates.

        w <- clip(w, -limit, limit)

    The 2017 method; `GradientPenalty` or spectral normalisation train better.

    References:
        Arjovsky, Chintala, Bottou 2017, "Wasserstein GAN", arXiv 1701.07875, Algorithm 1, line 7.

    Arguments:
        limit: c of the paper (default 0.01, as there).

    >>> layer = nn.Linear(2, 1)
    >>> WeightClip(limit=0.0).apply(layer)
    >>> layer.weight.abs().max().item()
    0.0
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        if not self.limit >= 0:
            raise ConfigError(f"limit {self.limit}", "0 or more", "0.01 is the paper's")

    @torch.no_grad()
    def apply(self, player: nn.Module) -> None:
        """Clamp the trainable parameters in place."""
        for parameter in player.parameters():
            if parameter.requires_grad:
                parameter.clamp_(-self.limit, self.limit)
