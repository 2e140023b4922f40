"""Gaussian likelihood with a learned standard deviation."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import DecoderOutput, PerSample, Sample, SampleSpec

MIN_SCALE = (
    1e-3  # of the standard deviation, an eighth of a grey level: without a floor the density is unbounded
)
SCALE_LEARNING_RATE_FACTOR = (
    10  # of the learned scale over the weights': at theirs it would lag behind the decoder
)


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Each value is normal, with the decoder's mean and a standard deviation s that is learned.

        log p(x | mu) = - sum_i (x_i - mu_i)^2 / (2 s_i^2) + log s_i + log(2 pi) / 2

    A density: on 8-bit data it may be above 0 and can't be compared with the probabilities of the other likelihoods. With s fixed
    at 1 reconstructions are blurred; one s learned for all values (gamma = s^2 of Dai & Wipf) acts as a learned weight of the KL
    term and lets reconstructions become exact where the code is large enough.

    Deviations: s is at least 0.001, so that the density of constant data stays finite; and it is learned 10 times as fast as
    weights, as short runs would otherwise end before it has converged.

    References:
        Dai & Wipf 2019, "Diagnosing and enhancing VAE models", arXiv 1903.05789, eq. 4 and sec. 4.
        Kingma & Welling 2014, arXiv 1312.6114, appendix C.2 (a standard deviation for each value).

    Arguments:
        deviation: `global` learns one for all values; with `pixel` the decoder predicts one for each; `fixed` uses `scale`.
        scale: standard deviation at the beginning, in units of the data ([-1, 1] for images).

    Shape: x (b, *sample) and means of the same shape (with `pixel` twice as many channels) to (b,).

    >>> module = Gaussian(deviation="fixed").build(SampleSpec(shape=(2,)))
    >>> round(float(module(torch.zeros(1, 2), torch.zeros(1, 2))), 4)  # -log(2 pi)
    -1.8379
    """

    binary: ClassVar[bool] = False
    deviation: Literal["global", "pixel", "fixed"] = "global"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > MIN_SCALE:
            raise ConfigError(f"scale {self.scale}", f"above {MIN_SCALE}", "set it to 1.0")

    def decoder_output(self, spec: SampleSpec) -> SampleSpec:
        """The mean; with `pixel` also the raw standard deviation, in as many further channels."""
        return spec.stack_channels(2) if self.deviation == "pixel" else spec

    def build(self, spec: SampleSpec) -> nn.Module:
        return GaussianLikelihood(self)


class GaussianLikelihood(nn.Module):
    """See `Gaussian`."""

    def __init__(self, config: Gaussian) -> None:
        super().__init__()
        self.per_value = config.deviation == "pixel"
        start = torch.tensor(_inverse_softplus(config.scale - MIN_SCALE) / SCALE_LEARNING_RATE_FACTOR)
        if config.deviation == "fixed":
            self.register_buffer("raw_scale", start)
        else:
            self.raw_scale = nn.Parameter(start)

    def prepare_data(self, x: Sample, rng: KeyedRandom) -> Sample:
        """The data, unchanged."""
        return x

    def mean_and_scale(self, decoder_output: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, and the standard deviation in a shape that broadcasts with it."""
        mean, raw = (
            decoder_output.chunk(2, 1) if self.per_value else (decoder_output, decoder_output.new_zeros(()))
        )
        return mean, MIN_SCALE + F.softplus(raw + SCALE_LEARNING_RATE_FACTOR * self.raw_scale)

    def forward(self, x: Sample, decoder_output: DecoderOutput) -> PerSample:
        mean, scale = self.mean_and_scale(decoder_output.float())
        density = ((x - mean) / scale).square().mul(-0.5) - scale.log() - math.log(2 * math.pi) / 2
        return density.flatten(1).sum(1)

    def mean(self, decoder_output: DecoderOutput) -> Sample:
        """The mean."""
        return self.mean_and_scale(decoder_output)[0]

    def sample_data(self, decoder_output: Tensor, rng: KeyedRandom) -> Tensor:
        """A sample of x."""
        mean, scale = self.mean_and_scale(decoder_output)
        return mean + scale * rng.normal("observation", *mean.shape[1:])


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))
