"""Deterministic codes of an autoencoder: one code for each sample, no distribution."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.core.errors import ConfigError
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Latent, PerSample
from sparring.parts.posteriors.base import check_latent, check_outputs
from sparring.parts.posteriors.normal import normal_log_density


class DeterministicDistribution:
    """A point mass at the codes `mean` (b, d): all samples are equal; the KL, which is infinite, is reported as 0."""

    def __init__(self, mean: Tensor) -> None:
        self.mean = mean

    def sample(self, rng: KeyedRandom, stream: str, count: int = 1) -> Tensor:
        return self.mean.expand(count, *self.mean.shape)

    def log_prob(self, z: Tensor) -> Tensor:
        raise ConfigError(
            "the density of a deterministic code",
            "a posterior that is a distribution",
            "choose posterior=normal, or compare reconstructions instead of likelihoods",
        )

    def prior_log_prob(self, z: Tensor) -> Tensor:
        return normal_log_density(z, torch.zeros_like(z), torch.zeros_like(z))

    def kl(self) -> PerSample:
        return self.mean.new_zeros(len(self.mean))


@dataclass(frozen=True, kw_only=True)
class Deterministic:
    """The encoder's d outputs are the code. There is no prior in training; a normal one is fitted to the codes.

    References: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313.

    Arguments:
        latent: dimension of a code (d), 1 to 65,536.

    >>> Deterministic(latent=5).code_size, Deterministic(latent=5).num_parameters
    (5, 5)
    """

    latent: int = 10

    def __post_init__(self) -> None:
        check_latent(self.latent, 65_536)

    @property
    def code_size(self) -> int:
        return self.latent

    @property
    def num_parameters(self) -> int:
        return self.latent

    @property
    def prior_std(self) -> float:
        return 1.0

    def distribution(self, raw: Tensor) -> DeterministicDistribution:
        return DeterministicDistribution(check_outputs(raw, self.num_parameters))

    def prior(self, z: Latent) -> Latent:
        return z
