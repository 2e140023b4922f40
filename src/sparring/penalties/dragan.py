"""DRAGAN: the discriminator's slope is pulled towards one in a noisy neighbourhood of the data."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparring.errors import ConfigError
from sparring.penalties.one_centred import excess_slope
from sparring.penalties.zero_centred import check_penalty
from sparring.play import Play
from sparring.schedule import Schedule, at
from sparring.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Dragan:
    """A gradient penalty around real samples only, against the sharp slopes there that bring mode collapse.

        weight E (|grad D(x + delta)| - 1)^2        delta = spread std(x) u,  u ~ U[0, 1)

    Deviation: the noise is uniform and scaled by the standard deviation of the batch, as in the authors'
    experiments; the paper's formula has a Gaussian of fixed variance.

    References:
        Kodali, Abernethy, Hays, Kira 2017, "On convergence and stability of GANs", arXiv 1705.07215,
            Algorithm 1.

    Arguments:
        weight: lambda (default 10, as in the paper).
        spread: width of the noise in standard deviations of the data (default 0.5, as in the authors'
            experiments).
        one_sided: punish slopes above 1 only.
        every: steps between applications.

    Shape: one value a sample (b,), with the weight in it, without the factor `every`.
    """

    weight: Schedule = 10.0
    spread: float = 0.5
    one_sided: bool = False
    every: int = 1
    needs_slope: ClassVar[bool] = False
    needs_memory: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)
        if not self.spread >= 0:
            raise ConfigError(f"DRAGAN's spread of {self.spread}", "0 or more", "0.5 is the authors' value")

    def __call__(self, play: Play) -> PerSample:
        near = perturb(play, self.spread)
        return at(self.weight, play.images) * excess_slope(play, near, self.one_sided)


def perturb(play: Play, spread: float) -> Tensor:
    """Real samples moved by uniform noise of `spread` standard deviations of the batch (b, *sample)."""
    real = play.x_seen.detach().float()
    noise = play.draws.uniform("dragan", *real.shape[1:])[: len(real)]
    return real + spread * real.std(correction=0) * noise
