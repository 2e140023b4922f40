"""What a posterior is: the protocols that an encoder's head and a latent-variable game build on."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from sparring.errors import ConfigError
from sparring.keyed import Draws
from sparring.shapes import Latent, PerSample


@runtime_checkable
class Distribution(Protocol):
    """q(z|x) of one batch. Codes z are (count, b, code) or (b, code); densities then are (count, b) or (b,)."""

    @property
    def mean(self) -> Latent:
        """The code (b, code) that stands for x where nothing is drawn: the mean, or the direction on a sphere."""
        ...

    def sample(self, draws: Draws, stream: str, count: int = 1) -> Tensor:
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
    `code`: size of the vector that the decoder sees: d, or d + 1 on a sphere.
    `parameters`: how many numbers the encoder's head gives for one sample.
    `spread`: standard deviation of each number of a code under the prior: 1, or 1 / sqrt(d + 1) on a sphere.
    """

    @property
    def latent(self) -> int: ...
    @property
    def code(self) -> int: ...
    @property
    def parameters(self) -> int: ...
    @property
    def spread(self) -> float: ...

    def distribution(self, raw: Tensor) -> Distribution:
        """q(z|x) from the encoder's outputs (b, parameters), whatever real numbers these are."""
        ...

    def prior(self, z: Latent) -> Latent:
        """Samples of the prior (b, code) from standard normal numbers of the same shape."""
        ...


def check_latent(latent: int, largest: int) -> None:
    """Refuses an intrinsic dimension that is not from 1 to `largest`."""
    if not 1 <= latent <= largest:
        raise ConfigError(
            f"latent={latent}",
            f"a dimension from 1 to {largest:,}",
            "choose a latent size such as 2, 10 or 40",
        )


def check_outputs(raw: Tensor, parameters: int) -> Tensor:
    """The encoder's outputs in float32 at least; they must be (b, parameters)."""
    assert raw.shape[1:] == (parameters,), f"{tuple(raw.shape)} is not (b, {parameters})"
    return raw if raw.dtype.itemsize >= 4 else raw.float()
