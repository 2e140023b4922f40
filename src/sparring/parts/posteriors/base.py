"""Protocols of a posterior family and of one batch's distribution, and checks they share."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Latent, PerSample


@runtime_checkable
class Distribution(Protocol):
    """q(z|x) of one batch. Codes z are (count, b, code) or (b, code); densities then are (count, b) or (b,)."""

    @property
    def mean(self) -> Latent:
        """The code (b, code) that stands for x where nothing is drawn: the mean, or the direction on a sphere."""
        ...

    def sample(self, rng: KeyedRandom, stream: str, count: int = 1) -> Tensor:
        """Codes (count, b, code), reparameterised; the draws must hold b rows."""
        ...

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z|x) of given codes, in nats."""
        ...

    def prior_log_prob(self, z: Tensor) -> Tensor:
        """log p(z) of given codes, in nats."""
        ...

    def kl(self) -> PerSample:
        """KL(q(z|x) || p(z)), in nats (b,)."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """A family of distributions over codes, with its prior.

    `latent`: d, the *intrinsic* dimension: R^d, or the sphere S^d, which lies in R^(d+1).
    `code_size`: size of the vector that the decoder sees: d, or d + 1 on a sphere.
    `num_parameters`: how many numbers the encoder's head gives for one sample.
    `prior_std`: standard deviation of each number of a code under the prior: 1, or 1 / sqrt(d + 1) on a sphere.
    """

    @property
    def latent(self) -> int: ...
    @property
    def code_size(self) -> int: ...
    @property
    def num_parameters(self) -> int: ...
    @property
    def prior_std(self) -> float: ...

    def distribution(self, raw: Tensor) -> Distribution:
        """q(z|x) from the encoder's outputs (b, parameters), whatever real numbers these are."""
        ...

    def prior(self, z: Latent) -> Latent:
        """Samples of the prior (b, code) from standard normal numbers of the same shape."""
        ...


def check_latent(latent: int, max_latent: int) -> None:
    """Refuses an intrinsic dimension that is not from 1 to `max_latent`."""
    if not 1 <= latent <= max_latent:
        raise ConfigError(
            f"latent={latent}",
            f"a dimension from 1 to {max_latent:,}",
            "choose a latent size such as 2, 10 or 40",
        )


def check_outputs(raw: Tensor, num_parameters: int) -> Tensor:
    """The encoder's outputs in float32 at least; they must be (b, parameters)."""
    assert raw.shape[1:] == (num_parameters,), f"{tuple(raw.shape)} is not (b, {num_parameters})"
    return raw if raw.dtype.itemsize >= 4 else raw.float()
