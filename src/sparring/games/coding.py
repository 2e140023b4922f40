"""Encoders and decoders: from samples to codes, and from codes back to samples."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from sparring.conditioning import LabelEmbedding
from sparring.errors import ConfigError
from sparring.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.networks.dcgan import DCGANGenerator
from sparring.networks.mlp import MLPGenerator
from sparring.posteriors.posterior import Distribution, Posterior
from sparring.shapes import Labels, Latent, Sample, Spec

EMBEDDING = 64  # values that a label adds to an encoder's features
AT_ONCE = 2**24  # values that a decoder makes at once, where no slopes are needed


class Encoder(nn.Module):
    """From samples to a distribution over their codes: the body of a discriminator, with a linear map behind it.

    Arguments:
        network: of the body, from samples to features.
        posterior: the family of distributions, whose numbers the map gives.
        spec: of the samples; with classes the map sees the label as well.
        binary: values of -1 and 1 are seen as 0 and 1: what is mostly black is mostly 0 then, and perceptrons learn much faster.

    Shape: (b, *sample) and labels (b,) to codes (b, code), the distributions' means.
    """

    def __init__(
        self, network: DiscriminatorNetwork, posterior: Posterior, spec: Spec, binary: bool = False
    ) -> None:
        super().__init__()
        body: Any = network.build(spec)
        self.body, self.posterior, self.binary = body, posterior, binary
        self.labels = LabelEmbedding(spec.classes, EMBEDDING)
        self.head = nn.Linear(body.num_features + self.labels.extra, posterior.parameters)

    def distribution(self, x: Sample, y: Labels | None = None) -> Distribution:
        """q(z|x)."""
        x = (x + 1) / 2 if self.binary else x
        return self.posterior.distribution(self.head(self.labels(self.body(x), y)))

    def forward(self, x: Sample, y: Labels | None = None) -> Latent:
        return self.distribution(x, y).mean


class Itself(nn.Module):
    """Stands where a likelihood would, in games without one: what is decoded is the sample."""

    def mean(self, decoded: Sample) -> Sample:
        return decoded


class Decoder(nn.Module):
    """From codes to samples, with a map from standard normal numbers to the codes' prior in front of it.

    Arguments:
        prior: from normal numbers (b, z) to codes (b, code).
        network: from codes to what the likelihood expects.
        likelihood: a module of `likelihoods/`, whose mean is the sample.
        spread: of each number of a code under the prior; the network sees codes divided by it. On a sphere of many dimensions they
            are small, and perceptrons would learn from them slowly.

    Shape: normal numbers (b, z) and labels (b,) to (b, *sample).
    """

    def __init__(
        self,
        prior: Callable[[Latent], Latent],
        network: nn.Module,
        likelihood: nn.Module,
        spread: float = 1.0,
    ) -> None:
        super().__init__()
        self.prior, self.network, self.spread = prior, network, spread
        self.likelihood: Any = likelihood

    def decoded(self, codes: Latent, y: Labels | None = None) -> Tensor:
        """What the likelihood expects, of codes (b, code)."""
        made: Tensor = self.network(codes if self.spread == 1 else codes / self.spread, y)
        return made

    def decode(self, codes: Latent, y: Labels | None = None) -> Sample:
        """The samples (b, *sample) that codes (b, code) stand for."""
        return self.likelihood.mean(self.decoded(codes, y))

    def explain(self, x: Sample, z: Tensor, y: Labels | None = None) -> Tensor:
        """log p(x|z) (k, b) of several codes a sample, z (k, b, code); outside of training as many at once as memory allows."""
        most = len(z) if self.training else max(1, AT_ONCE // x.numel())
        return torch.cat([self._explained(x, part, y) for part in z.split(most)])

    def _explained(self, x: Sample, z: Tensor, y: Labels | None) -> Tensor:
        count, size = z.shape[:2]
        decoded = self.decoded(z.flatten(0, 1), None if y is None else y.repeat(count))
        repeated = x.expand(count, *x.shape).flatten(0, 1)
        likely: Tensor = self.likelihood(repeated, decoded)
        return likely.view(count, size)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        return self.decode(self.prior(z), y)


def resized(network: GeneratorNetwork, code: int) -> GeneratorNetwork:
    """The same network for codes of this size."""
    changed: GeneratorNetwork = replace(network, latent=code)  # type: ignore[type-var]
    return changed


def fed(network: GeneratorNetwork, code: int) -> GeneratorNetwork:
    """The same network for codes of this size, without bounds on what it makes.

    Raises:
        ConfigError: the network can't do without bounds.
    """
    if isinstance(network, MLPGenerator | DCGANGenerator):
        return replace(network, latent=code, output="linear")
    raise ConfigError(
        f"a decoder of {type(network).__name__}, which ends in tanh",
        "a network whose output is free, as likelihoods need it",
        "set game.decoder=mlp or game.decoder=dcgan",
    )


def told(spec: Spec, conditional: bool) -> Spec:
    """What the networks know of the data: the labels too, if the game is conditional."""
    return spec if conditional else Spec(shape=spec.shape)


def require_labels_in(spec: Spec, conditional: bool) -> None:
    """Raises ConfigError where a conditional game is built for data without labels."""
    if conditional and not spec.classes:
        raise ConfigError(
            "a conditional game on a set without labels",
            "labels",
            "set game.conditional=false or label the data",
        )
