"""The 256 levels of a picture, with the probability of each."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.keyed import Draws
from sparring.likelihoods.gaussian import RATE
from sparring.shapes import PerSample, Sample, Spec

HALF = 1 / 255  # half of the distance between two levels, in [-1, 1]
FLOOR = math.exp(-7)  # of the scale, as in PixelCNN++


@dataclass(frozen=True, kw_only=True)
class DiscretisedLogistic:
    """Each value is one of 256 levels, with the mass that a logistic distribution has round it.

        log p(x | mu) = sum_i log(F((x_i + h - mu_i) / s) - F((x_i - h - mu_i) / s)),  F the sigmoid, h = 1/255

    The lowest level has all the mass below it, the highest all above, so that the 256 probabilities sum to 1: these are
    log-likelihoods of the 8-bit data, in nats (divide by the number of values and log 2 for bits a value).
    Computed as log F(a) + log F(-b) + log(1 - e^(b - a)), a and b the two arguments, which loses no digits in the tails. Values
    between two levels are rounded to the nearer one.

    References:
        Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow", arXiv 1606.04934, sec. 5.
        Salimans, Karpathy, Chen & Kingma 2017, "PixelCNN++", arXiv 1701.05517, eq. 2 (the edge cases; a mixture there).

    Arguments:
        deviation: `global` learns one scale s for all values; `pixel` has the decoder say one for each.
        scale: s at the beginning, in units of [-1, 1].

    Shape: x (b, c, h, w) in [-1, 1] and locations of the same shape (with `pixel` twice as many channels) to (b,).

    >>> module = DiscretisedLogistic(scale=100.0).build(Spec(shape=(1, 1, 1)))
    >>> round(module(torch.full((1, 1, 1, 1), -1.0), torch.zeros(1, 1, 1, 1)).exp().item(), 2)  # almost half lies below
    0.5
    """

    binary: ClassVar[bool] = False
    deviation: Literal["global", "pixel"] = "global"
    scale: float = 0.25

    def __post_init__(self) -> None:
        if not self.scale > FLOOR:
            raise ConfigError(f"a scale of {self.scale}", f"above {FLOOR:.4f}", "take 0.25")

    def decoded(self, spec: Spec) -> Spec:
        """The location, and with `pixel` behind it what the scale is made of."""
        return spec.packed(2) if self.deviation == "pixel" else spec

    def build(self, spec: Spec) -> nn.Module:
        if not spec.is_image:
            raise ConfigError(
                "a discretised likelihood of points", "pictures of 256 levels", "set game.likelihood=gaussian"
            )
        return Module(self)


class Module(nn.Module):
    """See `DiscretisedLogistic`."""

    def __init__(self, config: DiscretisedLogistic) -> None:
        super().__init__()
        self.each = config.deviation == "pixel"
        start = config.scale - FLOOR
        self.raw_scale = nn.Parameter(torch.tensor((start + math.log(-math.expm1(-start))) / RATE))

    def given(self, x: Sample, draws: Draws) -> Sample:
        """The data as it is."""
        return x

    def parts(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Location, and the scale in a shape that goes with it."""
        location, behind = decoded.chunk(2, 1) if self.each else (decoded, decoded.new_zeros(()))
        return location, FLOOR + F.softplus(behind + RATE * self.raw_scale)

    def forward(self, x: Sample, decoded: Sample) -> PerSample:
        location, scale = self.parts(decoded.float())
        x = ((x + 1) / (2 * HALF)).round() * (2 * HALF) - 1
        below_upper = F.logsigmoid((x + HALF - location) / scale)
        above_lower = F.logsigmoid((location - x + HALF) / scale)
        inner = below_upper + above_lower + torch.log(-torch.expm1(-2 * HALF / scale))
        mass = torch.where(x < -1 + HALF, below_upper, torch.where(x > 1 - HALF, above_lower, inner))
        return mass.flatten(1).sum(1)

    def mean(self, decoded: Sample) -> Sample:
        """The location, which is the most probable value, cut to [-1, 1]."""
        return self.parts(decoded)[0].clamp(-1, 1)

    def drawn(self, decoded: Tensor, draws: Draws) -> Tensor:
        """A draw of x: one of the 256 levels."""
        location, scale = self.parts(decoded)
        u = draws.uniform("observation", *location.shape[1:]).clamp(1e-6, 1 - 1e-6)
        level = ((location + scale * torch.logit(u)).clamp(-1, 1) + 1) / (2 * HALF)
        return level.round() * (2 * HALF) - 1
