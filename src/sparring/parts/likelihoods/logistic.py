"""Discretised logistic likelihood of 8-bit images."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import DecoderOutput, PerSample, Sample, SampleSpec
from sparring.parts.likelihoods.gaussian import SCALE_LEARNING_RATE_FACTOR

HALF_LEVEL = 1 / 255  # half of the distance between two levels, in [-1, 1]
MIN_SCALE = math.exp(-7)  # of the scale, as in PixelCNN++


@dataclass(frozen=True, kw_only=True)
class DiscretisedLogistic:
    """Each value is one of 256 levels, with the probability mass of a logistic distribution in its interval.

        log p(x | mu) = sum_i log(F((x_i + h - mu_i) / s) - F((x_i - h - mu_i) / s)),  F the sigmoid, h = 1/255

    The lowest level has all the mass below it, the highest all above, so that the 256 probabilities sum to 1: log-likelihoods of
    8-bit data in nats (divide by the number of values and by log 2 for bits per value). Computed as
    log F(a) + log F(-b) + log(1 - e^(b - a)), a and b the two arguments, which is exact in the tails. Values between two levels
    are rounded to the nearer one.

    References:
        Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow", arXiv 1606.04934, sec. 5.
        Salimans, Karpathy, Chen & Kingma 2017, "PixelCNN++", arXiv 1701.05517, eq. 2 (the edge cases; a mixture there).

    Arguments:
        deviation: `global` learns one scale s for all values; with `pixel` the decoder predicts one for each.
        scale: s at the beginning, in units of [-1, 1].

    Shape: x (b, c, h, w) in [-1, 1] and locations of the same shape (with `pixel` twice as many channels) to (b,).

    >>> module = DiscretisedLogistic(scale=100.0).build(SampleSpec(shape=(1, 1, 1)))
    >>> round(module(torch.full((1, 1, 1, 1), -1.0), torch.zeros(1, 1, 1, 1)).exp().item(), 2)  # almost half lies below
    0.5
    """

    binary: ClassVar[bool] = False
    deviation: Literal["global", "pixel"] = "global"
    scale: float = 0.25

    def __post_init__(self) -> None:
        if not self.scale > MIN_SCALE:
            raise ConfigError(f"scale {self.scale}", f"above {MIN_SCALE:.4f}", "set it to 0.25")

    def decoder_output(self, spec: SampleSpec) -> SampleSpec:
        """The location; with `pixel` also the raw scale, in as many further channels."""
        return spec.stack_channels(2) if self.deviation == "pixel" else spec

    def build(self, spec: SampleSpec) -> nn.Module:
        if not spec.is_image:
            raise ConfigError(
                "a discretised likelihood of points", "images of 256 levels", "set game.likelihood=gaussian"
            )
        return DiscretisedLogisticLikelihood(self)


class DiscretisedLogisticLikelihood(nn.Module):
    """See `DiscretisedLogistic`."""

    def __init__(self, config: DiscretisedLogistic) -> None:
        super().__init__()
        self.per_value = config.deviation == "pixel"
        start = config.scale - MIN_SCALE
        self.raw_scale = nn.Parameter(
            torch.tensor((start + math.log(-math.expm1(-start))) / SCALE_LEARNING_RATE_FACTOR)
        )

    def prepare_data(self, x: Sample, rng: KeyedRandom) -> Sample:
        """The data, unchanged."""
        return x

    def mean_and_scale(self, decoder_output: Tensor) -> tuple[Tensor, Tensor]:
        """Location, and the scale in a shape that broadcasts with it."""
        location, raw = (
            decoder_output.chunk(2, 1) if self.per_value else (decoder_output, decoder_output.new_zeros(()))
        )
        return location, MIN_SCALE + F.softplus(raw + SCALE_LEARNING_RATE_FACTOR * self.raw_scale)

    def forward(self, x: Sample, decoder_output: DecoderOutput) -> PerSample:
        location, scale = self.mean_and_scale(decoder_output.float())
        x = ((x + 1) / (2 * HALF_LEVEL)).round() * (2 * HALF_LEVEL) - 1
        below_upper = F.logsigmoid((x + HALF_LEVEL - location) / scale)
        above_lower = F.logsigmoid((location - x + HALF_LEVEL) / scale)
        inner = below_upper + above_lower + torch.log(-torch.expm1(-2 * HALF_LEVEL / scale))
        mass = torch.where(
            x < -1 + HALF_LEVEL, below_upper, torch.where(x > 1 - HALF_LEVEL, above_lower, inner)
        )
        return mass.flatten(1).sum(1)

    def mean(self, decoder_output: DecoderOutput) -> Sample:
        """The location, clamped to [-1, 1]: the most probable value."""
        return self.mean_and_scale(decoder_output)[0].clamp(-1, 1)

    def sample_data(self, decoder_output: Tensor, rng: KeyedRandom) -> Tensor:
        """A sample of x: one of the 256 levels."""
        location, scale = self.mean_and_scale(decoder_output)
        u = rng.uniform("observation", *location.shape[1:]).clamp(1e-6, 1 - 1e-6)
        level = ((location + scale * torch.logit(u)).clamp(-1, 1) + 1) / (2 * HALF_LEVEL)
        return level.round() * (2 * HALF_LEVEL) - 1
