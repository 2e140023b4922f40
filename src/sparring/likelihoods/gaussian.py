"""Normal noise round what the decoder says, of a width that is learned."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.errors import ConfigError
from sparring.keyed import Draws
from sparring.shapes import PerSample, Sample, Spec

FLOOR = (
    1e-3  # of the standard deviation, an eighth of a grey level: a density has no greatest value without one
)
RATE = 10  # a learned deviation moves so many times as fast as a weight: with steps as small it would lag behind the decoder


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    """Each value is normal, with the decoder's mean and a standard deviation s that is learned.

        log p(x | mu) = - sum_i (x_i - mu_i)^2 / (2 s_i^2) + log s_i + log(2 pi) / 2

    It is a density: on 8-bit data it may be above 0, and can't be compared with the probabilities of the other likelihoods.
    With s fixed at 1 the model blurs; one s learned for all values (gamma = s^2 of Dai & Wipf) lets the reconstruction become
    exact where the code has room, and does what a weight on the KL term would do. Deviations: s never falls below 0.001,
    so that constant data does not drive the density to infinity; and it is learned 10 times as fast as weights are, as short runs
    otherwise end long before it has come down.

    References:
        Dai & Wipf 2019, "Diagnosing and enhancing VAE models", arXiv 1903.05789, eq. 4 and sec. 4.
        Kingma & Welling 2014, arXiv 1312.6114, appendix C.2 (a deviation for each value).

    Arguments:
        deviation: `global` learns one for all values; `pixel` has the decoder say one for each; `fixed` keeps `scale`.
        scale: standard deviation at the beginning, in units of the data ([-1, 1] for pictures).

    Shape: x (b, *sample) and means of the same shape (with `pixel` twice as many channels) to (b,).

    >>> module = Gaussian(deviation="fixed").build(Spec(shape=(2,)))
    >>> round(float(module(torch.zeros(1, 2), torch.zeros(1, 2))), 4)  # -log(2 pi)
    -1.8379
    """

    binary: ClassVar[bool] = False
    deviation: Literal["global", "pixel", "fixed"] = "global"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > FLOOR:
            raise ConfigError(f"a standard deviation of {self.scale}", f"above {FLOOR}", "take 1.0")

    def decoded(self, spec: Spec) -> Spec:
        """The mean, and with `pixel` behind it what the deviation is made of."""
        return spec.packed(2) if self.deviation == "pixel" else spec

    def build(self, spec: Spec) -> nn.Module:
        return Module(self)


class Module(nn.Module):
    """See `Gaussian`."""

    def __init__(self, config: Gaussian) -> None:
        super().__init__()
        self.each = config.deviation == "pixel"
        start = torch.tensor(_inverse_softplus(config.scale - FLOOR) / RATE)
        if config.deviation == "fixed":
            self.register_buffer("raw_scale", start)
        else:
            self.raw_scale = nn.Parameter(start)

    def given(self, x: Sample, draws: Draws) -> Sample:
        """The data as it is."""
        return x

    def parts(self, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Mean, and the standard deviation in a shape that goes with it."""
        mean, behind = decoded.chunk(2, 1) if self.each else (decoded, decoded.new_zeros(()))
        return mean, FLOOR + F.softplus(behind + RATE * self.raw_scale)

    def forward(self, x: Sample, decoded: Sample) -> PerSample:
        mean, scale = self.parts(decoded.float())
        density = ((x - mean) / scale).square().mul(-0.5) - scale.log() - math.log(2 * math.pi) / 2
        return density.flatten(1).sum(1)

    def mean(self, decoded: Sample) -> Sample:
        """The mean itself."""
        return self.parts(decoded)[0]

    def drawn(self, decoded: Tensor, draws: Draws) -> Tensor:
        """A draw of x."""
        mean, scale = self.parts(decoded)
        return mean + scale * draws.normal("observation", *mean.shape[1:])


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))
