"""Encoder and Decoder: from samples to codes and back; GenerativeClassifier: class probabilities by Bayes' rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.errors import ConfigError
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.core.transparency import premultiply
from sparring.parts.conditioning import LabelEmbedding
from sparring.parts.networks import DecoderNetwork, DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors.base import Distribution, Posterior

LABEL_EMBEDDING_SIZE = 64  # values concatenated to an encoder's features for the label
MAX_DECODED_VALUES = 2**24  # values per forward pass of a decoder outside of training


class Encoder(nn.Module):
    """From samples to distributions of codes: a discriminator's body and a linear map.

    Arguments:
        network: settings of the body, from samples to features.
        posterior: the family of distributions, whose parameters the map computes.
        spec: of the samples; with classes the map sees an embedding of the label as well.
        binary: rescale values from [-1, 1] to [0, 1]: mostly black images are then mostly 0, which perceptrons fit much faster.

    Shape: (b, *sample) and labels (b,) to codes (b, code), the means of the distributions.
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
        """q(z|x), one distribution for each of the samples (b, *sample)."""
        x = (x + 1) / 2 if self.binary else x
        return self.posterior.distribution(self.head(self.labels(self.body(x), y)))

    def forward(self, x: Sample, y: Labels | None = None) -> Latent:
        return self.distribution(x, y).mean


class IdentityLikelihood(nn.Module):
    """In place of a likelihood, in games without one: the decoder's output is the sample, of transparent images with the colours
    multiplied by alpha.
    """

    def mean(self, decoder_output: Sample) -> Sample:
        return premultiply(decoder_output)


class Decoder(nn.Module):
    """From codes to samples, preceded by a map from standard normal numbers to the prior of the codes.

    Arguments:
        prior: from normal numbers (b, z) to codes (b, code).
        network: from codes to the parameters of the likelihood.
        likelihood: a module of `parts/likelihoods`, whose mean is the sample.
        prior_std: standard deviation of each component of a code under the prior, by which the network's input is divided. On a
            sphere of many dimensions components are small, and perceptrons would learn from them slowly.

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
        """The parameters of the likelihood (b, *parameters) for codes (b, code)."""
        output: Tensor = self.network(codes if self.prior_std == 1 else codes / self.prior_std, y)
        return output

    def decode(self, codes: Latent, y: Labels | None = None) -> Sample:
        """The mean samples (b, *sample) of codes (b, code)."""
        return self.likelihood.mean(self.decoder_output(codes, y))

    def log_likelihood(self, x: Sample, z: Tensor, y: Labels | None = None) -> Tensor:
        """log p(x|z) (k, b) of k codes per sample, z (k, b, code); outside of training in chunks that bound the memory."""
        chunk = len(z) if self.training else max(1, MAX_DECODED_VALUES // x.numel())
        return torch.cat([self._log_likelihood_chunk(x, part, y) for part in z.split(chunk)])

    def _log_likelihood_chunk(self, x: Sample, z: Tensor, y: Labels | None) -> Tensor:
        count, size = z.shape[:2]
        decoded = self.decoder_output(z.flatten(0, 1), None if y is None else y.repeat(count))
        repeated = x.expand(count, *x.shape).flatten(0, 1)
        log_likelihood: Tensor = self.likelihood(repeated, decoded)
        return log_likelihood.view(count, size)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        return self.decode(self.prior(z), y)


def with_latent(network: GeneratorNetwork, code_size: int) -> GeneratorNetwork:
    """The settings of a network with `latent` set to this code size."""
    resized: GeneratorNetwork = replace(network, latent=code_size)  # type: ignore[type-var]
    return resized


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
    """The spec for a game's networks: without classes unless the game is conditional."""
    return spec if conditional else SampleSpec(shape=spec.shape)


def require_labelled_spec(spec: SampleSpec, conditional: bool) -> None:
    """Raises ConfigError where a conditional game is built for data without labels."""
    if conditional and not spec.num_classes:
        raise ConfigError(
            "a conditional game for data without labels",
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
