"""Two-stage VAE: a second variational autoencoder learns the distribution of the first one's codes.

    first:   x -> z -> x, until the clock is at `switch` images
    second:  z -> u -> z, z ~ q(z|x) of the first, whose weights are constant from then on
    sampling:  u ~ N(0, 1),  z ~ N(mean(u), s^2) of the second,  x the mean of the first

The aggregate posterior of a well-trained first stage fills the latent space but is not normal, so samples of the normal prior
are poor. The second stage has as many dimensions as its data and can match it exactly. As in the authors' code its networks
see their input beside the last hidden layer as well; without that, training stays at a point where it ignores its codes.

References: Dai & Wipf 2019, "Diagnosing and enhancing VAE models", arXiv:1903.05789, sec. 3 and 4.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import Features, Latent, SampleSpec
from sparring.games.variational import elbo_terms
from sparring.models.autoencoder import Decoder, Encoder, for_decoder
from sparring.models.generator import GeneratorModel
from sparring.parts.likelihoods import Gaussian, Likelihood
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.networks.layers.input_skip import ConcatInput, LinearSkip
from sparring.parts.posteriors import Normal


@dataclass(frozen=True, kw_only=True)
class TwoStageConfig:
    """Two variational autoencoders, trained one after the other.

    Arguments:
        encoder, decoder: of the first stage.
        second_encoder, second_decoder: of the second stage, whose samples are codes of the first. The `latent` and `output` of
            both decoders are set accordingly.
        latent: size of the codes of both stages.
        likelihood: of the first stage; the second has a normal likelihood of learned variance.
        switch: position of the clock, in images, at which the second stage takes over.

    Raises:
        ConfigError: `switch` below 1, or a decoder whose output is bounded.
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
            raise ConfigError(
                f"switch {self.switch}", "1 image or more", "set game.switch to half of the run"
            )

    @property
    def posterior(self) -> Normal:
        """The family of q of both stages."""
        return Normal(latent=self.latent)

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The untrained decoders and the first encoder."""
        plain_spec, codes = SampleSpec(shape=spec.shape), SampleSpec(shape=(self.latent,))
        inner_network = LinearSkip(self.second_decoder.build(codes), nn.Linear(self.latent, self.latent))
        inner = Decoder(self.posterior.prior, inner_network, Gaussian().build(codes))
        network = self.decoder.build(self.likelihood.decoder_output(plain_spec))
        decoder = Decoder(SecondStagePrior(inner, self.latent), network, self.likelihood.build(plain_spec))
        encoder = Encoder(self.encoder, self.posterior, plain_spec, self.likelihood.binary)
        return GeneratorModel(decoder, 2 * self.latent, plain_spec, encoder)

    def build(self, spec: SampleSpec) -> "TwoStage":
        """The game for samples of this shape."""
        return TwoStage(self, spec)


class SecondStagePrior(nn.Module):
    """The distribution of the first stage's codes: normal until the second stage has started to learn it.

    Arguments:
        decoder: of the second stage.
        size: of a code of either stage.

    Shape: normal numbers (b, 2 size), the second stage's latent and the noise of its likelihood, to codes (b, size).
    """

    begun: Tensor

    def __init__(self, decoder: Decoder, size: int) -> None:
        super().__init__()
        self.decoder, self.size = decoder, size
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Latent) -> Features:
        latent, noise = z.split(self.size, 1)
        if not int(self.begun):
            return latent
        mean, scale = self.decoder.likelihood.mean_and_scale(self.decoder.network(latent))
        codes: Tensor = mean + scale * noise
        return codes


class TwoStage(Game):
    """Trains the first stage until the switch, and then the second."""

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
        """The part of the model that the second stage trains."""
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
                after=self._mark_second_stage,
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
