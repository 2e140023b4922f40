"""Two-stage VAE: a second variational autoencoder learns the distribution of the first one's codes.

    first:   x -> z -> x, until the clock shows `switch` images
    second:  z -> u -> z, z ~ q(z|x) of the first, which stays as it is from then on
    sampling:  u ~ N(0, 1),  z ~ N(mean(u), s^2) of the second,  x the mean of the first

Codes of a well-trained first stage fill their space, but are not normal, which is why samples from the normal
prior are poor. The second stage has no dimensions to lose: it can match them exactly. As in the authors' code
its networks have their input beside their last hidden layer, without which it stays where it ignores its
codes.

References: Dai & Wipf 2019, "Diagnosing and enhancing VAE models", arXiv:1903.05789, sec. 3 and 4.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import Features, Labels, Latent, SampleSpec
from sparring.games.variational import elbo_terms
from sparring.models.autoencoder import Decoder, Encoder, for_decoder
from sparring.models.generator import GeneratorModel
from sparring.parts.likelihoods import Gaussian, Likelihood
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors import Normal


@dataclass(frozen=True, kw_only=True)
class TwoStageConfig:
    """Two variational autoencoders, trained one after the other.

    Arguments:
        encoder, decoder: of the first. second_encoder, second_decoder: of the second, whose samples are codes. The decoders'
            `latent` and `output` are set to fit.
        latent: size of both codes.
        likelihood: of the first; the second has normal noise of learned width.
        switch: images after which the second takes over.
    """

    encoder: DiscriminatorNetwork
    decoder: GeneratorNetwork
    second_encoder: DiscriminatorNetwork
    second_decoder: GeneratorNetwork
    switch: int
    latent: int = 64
    likelihood: Likelihood = Gaussian()

    def __post_init__(self) -> None:
        for name in ("decoder", "second_decoder"):
            object.__setattr__(self, name, for_decoder(getattr(self, name), self.posterior.code_size))
        if self.switch < 1:
            raise ConfigError(f"switch {self.switch}", "1 image or more", "give the first stage some time")

    @property
    def posterior(self) -> Normal:
        """Of both stages."""
        return Normal(latent=self.latent)

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """Both decoders and the first encoder, untrained."""
        seen, codes = SampleSpec(shape=spec.shape), SampleSpec(shape=(self.latent,))
        inner_network = LinearSkip(self.second_decoder.build(codes), nn.Linear(self.latent, self.latent))
        inner = Decoder(self.posterior.prior, inner_network, Gaussian().build(codes))
        network = self.decoder.build(self.likelihood.decoder_output(seen))
        decoder = Decoder(SecondStagePrior(inner, self.latent), network, self.likelihood.build(seen))
        encoder = Encoder(self.encoder, self.posterior, seen, self.likelihood.binary)
        return GeneratorModel(decoder, 2 * self.latent, seen, encoder)

    def build(self, spec: SampleSpec) -> "TwoStage":
        """The game for samples of this kind."""
        return TwoStage(self, spec)


@dataclass(frozen=True, kw_only=True)
class ConcatInput:
    """Settings of a body whose features have the sample itself behind them."""

    network: DiscriminatorNetwork

    def build(self, spec: SampleSpec) -> nn.Module:
        body: Any = self.network.build(spec)
        joined: Any = ConcatInputBody(body)
        joined.num_features = body.num_features + spec.numel
        return joined


class ConcatInputBody(nn.Module):
    """See `ConcatInput`."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Features:
        return torch.cat([self.body(x), x], 1)


class LinearSkip(nn.Module):
    """A decoder of codes with a linear map of its input added to what it makes."""

    def __init__(self, network: nn.Module, linear: nn.Linear) -> None:
        super().__init__()
        self.network, self.linear = network, linear

    def forward(self, z: Latent, y: Labels | None = None) -> Features:
        out: Tensor = self.network(z) + self.linear(z)
        return out


class SecondStagePrior(nn.Module):
    """The codes' distribution: normal until the second stage has begun to learn it.

    Arguments:
        decoder: of the second stage.
        size: of a code of either stage.

    Shape: (b, 2 size) to codes (b, size): what the second stage starts from, and the noise on what it says.
    """

    begun: Tensor

    def __init__(self, decoder: Decoder, size: int) -> None:
        super().__init__()
        self.decoder, self.size = decoder, size
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Latent) -> Features:
        start, noise = z.split(self.size, 1)
        if not int(self.begun):
            return start
        mean, scale = self.decoder.likelihood.mean_and_scale(self.decoder.network(start))
        codes: Tensor = mean + scale * noise
        return codes


class TwoStage(Game):
    """The game of two players who never meet."""

    def __init__(self, config: TwoStageConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config = config
        self.generation = config.build_model(spec)
        codes = SampleSpec(shape=(config.latent,))
        self.second_encoder = Encoder(ConcatInput(network=config.second_encoder), config.posterior, codes)

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    @property
    def stage(self) -> SecondStagePrior:
        """The second stage's part of what is kept."""
        prior = self.generation.encoder_decoder()[1].prior
        assert isinstance(prior, SecondStagePrior)
        return prior

    def players(self) -> dict[str, nn.Module]:
        encoder, decoder = self.generation.encoder_decoder()
        return {
            "first": nn.ModuleList([encoder, decoder.network, decoder.likelihood]),
            "second": nn.ModuleList([self.second_encoder, self.stage.decoder]),
        }

    def turns(self) -> list[Turn]:
        switch = self.config.switch
        return [
            Turn(
                name="first",
                players=("first",),
                terms=self._first_terms,
                active=lambda images: images < switch,
            ),
            Turn(
                name="second",
                players=("second",),
                terms=self._second_terms,
                after=lambda: self._mark_second_stage(),
                active=lambda images: images >= switch,
            ),
        ]

    def _first_terms(self, batch: Batch) -> Terms:
        self.generation.encoder_decoder()[0].train()  # a roll-back may come from the second stage
        return elbo_terms(self.generation.encoder_decoder(), replace(batch, y=None), 1.0)

    def _second_terms(self, batch: Batch) -> Terms:
        encoder, decoder = self.generation.encoder_decoder()
        with torch.no_grad():
            x = decoder.likelihood.prepare_data(batch.x, batch.rng)
            codes = encoder.eval().distribution(x).sample(batch.rng, "first code")[0]
        inner = (self.second_encoder, self.stage.decoder)
        return elbo_terms(inner, replace(batch, x=codes, y=None), 1.0)

    def _mark_second_stage(self) -> None:
        self.stage.begun.fill_(1)
