"""VAE/GAN: a variational autoencoder whose reconstructions are compared in a discriminator's features.

    encoder:        KL(q(z|x) || p(z)) + |f(x) - f(x~)|^2 / 2
    decoder:        feature_weight |f(x) - f(x~)|^2 / 2 - log D(x~) - log D(x_p)
    discriminator:  -log D(x) - log(1 - D(x~)) - log(1 - D(x_p))

f are the discriminator's features, x~ = decode(z), z ~ q(z|x), and x_p = decode(z_p), z_p from the prior. The features define
the distance of the reconstruction; only the discriminator's own loss trains them.

Deviations: the decoder maximises log D instead of minimising log(1 - D) (the non-saturating loss); each player is updated in
a turn of its own, on the same samples; f is the output of the whole body, not of one of its layers.

References: Larsen, Sønderby, Larochelle & Winther 2016, "Autoencoding beyond pixels using a learned
similarity metric", arXiv:1512.09300, eq. 5 to 8 and Algorithm 1.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import PerSample, SampleSpec
from sparring.models.autoencoder import Decoder, Encoder, IdentityLikelihood, with_latent
from sparring.models.discriminator import Discriminator
from sparring.models.generator import GeneratorModel
from sparring.parts.conditioning import Unconditional
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors import Normal
from sparring.parts.posteriors.base import Posterior


@dataclass(frozen=True, kw_only=True)
class VAEGANConfig:
    """A variational autoencoder with a discriminator.

    Arguments:
        encoder, discriminator: settings of bodies, from samples to features.
        decoder: from codes to samples; its `latent` is set to the code size.
        posterior: the family of q(z|x), with its prior.
        beta: weight of KL in the encoder's loss.
        feature_weight: weight of the feature distance, a sum over features, in the decoder's loss (gamma).

    Raises:
        ConfigError: a negative weight.
    """

    encoder: DiscriminatorNetwork
    decoder: GeneratorNetwork
    discriminator: DiscriminatorNetwork
    posterior: Posterior = Normal(latent=128)
    beta: schedule.Schedule = 1.0
    feature_weight: schedule.Schedule = 1e-2

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", with_latent(self.decoder, self.posterior.code_size))
        if min(*schedule.endpoints(self.feature_weight), *schedule.endpoints(self.beta)) < 0:
            got = f"feature_weight {self.feature_weight}, beta {self.beta}"
            raise ConfigError(got, "0 or more", "set game.feature_weight=0.01 and game.beta=1")

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The untrained decoder and encoder."""
        plain_spec = SampleSpec(shape=spec.shape)
        decoder = Decoder(
            self.posterior.prior,
            self.decoder.build(plain_spec),
            IdentityLikelihood(),
            self.posterior.prior_std,
        )
        return GeneratorModel(
            decoder, self.posterior.code_size, plain_spec, Encoder(self.encoder, self.posterior, plain_spec)
        )

    def build(self, spec: SampleSpec) -> "VAEGAN":
        """The game for samples of this shape."""
        return VAEGAN(self, spec)


class VAEGAN(Game):
    """Trains encoder, decoder and discriminator, each in a turn of its own on the same samples."""

    def __init__(self, config: VAEGANConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config = config
        self.generation = config.build_model(spec)
        self.discriminator = Discriminator(
            config.discriminator, Unconditional(), None, spec=self.generation.spec
        )

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        encoder, decoder = self.generation.encoder_decoder()
        return {"encoder": encoder, "decoder": decoder, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        return [
            Turn(name="discriminator", players=("discriminator",), terms=self._discriminator_terms),
            Turn(name="encoder", players=("encoder",), terms=self._encoder_terms, new_batch=False),
            Turn(name="decoder", players=("decoder",), terms=self._decoder_terms, new_batch=False),
        ]

    def _discriminator_terms(self, batch: Batch) -> Terms:
        with torch.no_grad():
            reconstructions, samples = self._reconstructions_and_samples(batch)
        real, decoded, fake = (self.discriminator(x) for x in (batch.x, reconstructions, samples))
        loss = F.softplus(-real) + F.softplus(decoded) + F.softplus(fake)
        logs = {"accuracy_real": (real > 0).float().mean(), "accuracy_fake": (fake < 0).float().mean()}
        return Terms({"adversarial": loss}, logs)

    def _encoder_terms(self, batch: Batch) -> Terms:
        encoder, decoder = self.generation.encoder_decoder()
        posterior = encoder.distribution(batch.x)
        reconstructions = decoder.decode(posterior.sample(batch.rng, "code")[0])
        kl = schedule.value_at(self.config.beta, batch.images) * posterior.kl()
        return Terms({"reconstruction": self._feature_distance(batch, reconstructions)[0], "kl": kl}, {})

    def _decoder_terms(self, batch: Batch) -> Terms:
        reconstructions, samples = self._reconstructions_and_samples(batch)
        distance, logits = self._feature_distance(batch, reconstructions)
        adversarial = F.softplus(-logits) + F.softplus(-self.discriminator(samples))
        feature_weight = schedule.value_at(self.config.feature_weight, batch.images)
        return Terms({"adversarial": adversarial, "reconstruction": feature_weight * distance}, {})

    def _reconstructions_and_samples(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Reconstructions of the batch, and decoded samples of the prior; gradients flow to the decoder only."""
        encoder, decoder = self.generation.encoder_decoder()
        with torch.no_grad():
            codes = encoder.distribution(batch.x).sample(batch.rng, "code")[0]
        samples = decoder(batch.rng.normal("latent", self.generation.latent))
        return decoder.decode(codes), samples

    def _feature_distance(self, batch: Batch, reconstructions: Tensor) -> tuple[PerSample, Tensor]:
        """Half of the squared distance of the features (b,), and the logits of the reconstructions (b,)."""
        with torch.no_grad():
            target = self.discriminator.features(batch.x)
        features = self.discriminator.features(reconstructions)
        return (features - target).float().square().sum(1) / 2, self.discriminator.head(features)
