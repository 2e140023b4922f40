"""Encoder and decoder: from samples to codes, and from codes back to samples."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.parts.conditioning import LabelEmbedding
from sparring.parts.networks import DecoderNetwork, DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors.base import Distribution, Posterior

LABEL_EMBEDDING_SIZE = 64  # values that a label adds to an encoder's features
MAX_DECODED_VALUES = 2**24  # values that a decoder makes at once, where no gradients are needed


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
        self, network: DiscriminatorNetwork, posterior: Posterior, spec: SampleSpec, binary: bool = False
    ) -> None:
        super().__init__()
        body: Any = network.build(spec)
        self.body, self.posterior, self.binary = body, posterior, binary
        self.labels = LabelEmbedding(spec.num_classes, LABEL_EMBEDDING_SIZE)
        self.head = nn.Linear(body.num_features + self.labels.embedding_size, posterior.num_parameters)

    def distribution(self, x: Sample, y: Labels | None = None) -> Distribution:
        """q(z|x)."""
        x = (x + 1) / 2 if self.binary else x
        return self.posterior.distribution(self.head(self.labels(self.body(x), y)))

    def forward(self, x: Sample, y: Labels | None = None) -> Latent:
        return self.distribution(x, y).mean


class IdentityLikelihood(nn.Module):
    """Stands where a likelihood would, in games without one: what is decoded is the sample."""

    def mean(self, decoder_output: Sample) -> Sample:
        return decoder_output


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
        prior_std: float = 1.0,
    ) -> None:
        super().__init__()
        self.prior, self.network, self.prior_std = prior, network, prior_std
        self.likelihood: Any = likelihood

    def decoder_output(self, codes: Latent, y: Labels | None = None) -> Tensor:
        """What the likelihood expects, of codes (b, code)."""
        made: Tensor = self.network(codes if self.prior_std == 1 else codes / self.prior_std, y)
        return made

    def decode(self, codes: Latent, y: Labels | None = None) -> Sample:
        """The samples (b, *sample) that codes (b, code) stand for."""
        return self.likelihood.mean(self.decoder_output(codes, y))

    def log_likelihood(self, x: Sample, z: Tensor, y: Labels | None = None) -> Tensor:
        """log p(x|z) (k, b) of several codes a sample, z (k, b, code); outside of training as many at once as memory allows."""
        most = len(z) if self.training else max(1, MAX_DECODED_VALUES // x.numel())
        return torch.cat([self._log_likelihood_chunk(x, part, y) for part in z.split(most)])

    def _log_likelihood_chunk(self, x: Sample, z: Tensor, y: Labels | None) -> Tensor:
        count, size = z.shape[:2]
        decoded = self.decoder_output(z.flatten(0, 1), None if y is None else y.repeat(count))
        repeated = x.expand(count, *x.shape).flatten(0, 1)
        likely: Tensor = self.likelihood(repeated, decoded)
        return likely.view(count, size)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        return self.decode(self.prior(z), y)


def with_latent(network: GeneratorNetwork, code_size: int) -> GeneratorNetwork:
    """The same network for codes of this size."""
    changed: GeneratorNetwork = replace(network, latent=code_size)  # type: ignore[type-var]
    return changed


def for_decoder(network: GeneratorNetwork, code_size: int) -> GeneratorNetwork:
    """The settings of a network for codes of this size with unbounded output.

    Raises:
        ConfigError: the network's output is always bounded.
    """
    if not isinstance(network, DecoderNetwork):
        got = f"the decoder {type(network).__name__}, whose output is bounded"
        fix = "set game.decoder=mlp or game.decoder=dcgan"
        raise ConfigError(got, "a network with unbounded output, as likelihoods need it", fix)
    return network.as_decoder(code_size)


def conditional_spec(spec: SampleSpec, conditional: bool) -> SampleSpec:
    """What the networks know of the data: the labels too, if the game is conditional."""
    return spec if conditional else SampleSpec(shape=spec.shape)


def require_labelled_spec(spec: SampleSpec, conditional: bool) -> None:
    """Raises ConfigError where a conditional game is built for data without labels."""
    if conditional and not spec.num_classes:
        raise ConfigError(
            "a conditional game on a set without labels",
            "labels",
            "set game.conditional=false or label the data",
        )


@dataclass(frozen=True, kw_only=True)
class GenerativeClassifier:
    """A conditional variational autoencoder as a classifier, by importance sampling of log p(x|y).

        log p(y|x) = log p(x|y) + log p(y) - log sum_y' p(x|y') p(y')

    References: Kingma et al. 2014, "Semi-supervised learning with deep generative models", arXiv:1406.5298, sec. 3.1 (a model with
    codes for each class); Burda et al. 2016, arXiv:1509.00519, eq. 8 (importance sampling).

    Arguments:
        encoder, decoder: conditional on labels; the decoder has a likelihood.
        class_frequencies: p(y) (classes,).
        samples: codes per sample and class, with the same random numbers for all classes. With 1 it is the bound.
        seed: of these, and of the binarisation of grey values for a Bernoulli likelihood.
    """

    encoder: Encoder
    decoder: Decoder
    class_frequencies: Tensor
    samples: int = 32
    seed: int = 0

    @torch.no_grad()
    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes), in float64."""
        random = rng.KeyedRandom(self.seed, (0,), len(x), device=x.device)
        data = self.decoder.likelihood.prepare_data(x, random)
        log_joint = []
        for label, share in enumerate(self.class_frequencies.double()):
            y = torch.full((len(x),), label, device=x.device)
            posterior = self.encoder.distribution(data, y)
            z = posterior.sample(random, "classify", self.samples)
            weights = (
                self.decoder.log_likelihood(data, z, y) + posterior.prior_log_prob(z) - posterior.log_prob(z)
            )
            log_joint.append(weights.double().logsumexp(0) - math.log(self.samples) + share.log())
        return torch.stack(log_joint, 1).log_softmax(1)
