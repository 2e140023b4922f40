"""Protocols of a posterior family and of the distributions of one batch, and their checks."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Latent, PerSample


@runtime_checkable
class Distribution(Protocol):
    """The distributions q(z|x) of one batch. Codes z are (count, b, code) or (b, code); densities then are (count, b) or (b,)."""

    @property
    def mean(self) -> Latent:
        """The code (b, code) without sampling: the mean, or the mean direction on a sphere."""
        ...

    def sample(self, rng: KeyedRandom, stream: str, count: int = 1) -> Tensor:
        """Codes (count, b, code), reparameterised; `rng` must have b rows."""
        ...

    def log_prob(self, z: Tensor) -> Tensor:
        """log q(z|x) of codes, in nats."""
        ...

    def prior_log_prob(self, z: Tensor) -> Tensor:
        """log p(z) of codes, in nats."""
        ...

    def kl(self) -> PerSample:
        """KL(q(z|x) || p(z)), in nats (b,)."""
        ...


@runtime_checkable
class Posterior(Protocol):
    """A family of distributions over codes, with its prior.

    `latent`: d, the *intrinsic* dimension: R^d, or the sphere S^d, which lies in R^(d+1).
    `code_size`: size of the vector that the decoder sees: d, or d + 1 on a sphere.
    `num_parameters`: outputs of the encoder's head per sample.
    `prior_std`: standard deviation of each component of a code under the prior: 1, or 1 / sqrt(d + 1) on a sphere.
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
        """q(z|x) from the encoder's outputs (b, num_parameters), any real numbers."""
        ...

    def prior(self, z: Latent) -> Latent:
        """Samples of the prior (b, code) from standard normal numbers of the same shape."""
        ...


def check_latent(latent: int, max_latent: int) -> None:
    """Raises ConfigError unless 1 <= latent <= max_latent."""
    if not 1 <= latent <= max_latent:
        raise ConfigError(
            f"latent={latent}",
            f"a dimension from 1 to {max_latent:,}",
            "choose a latent size such as 2, 10 or 40",
        )


def check_outputs(raw: Tensor, num_parameters: int) -> Tensor:
    """The encoder's outputs (b, num_parameters), in float32 or better."""
    assert raw.shape[1:] == (num_parameters,), f"{tuple(raw.shape)} is not (b, {num_parameters})"
    return raw if raw.dtype.itemsize >= 4 else raw.float()
