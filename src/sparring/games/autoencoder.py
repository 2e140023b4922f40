"""Autoencoders: deterministic encoder and decoder trained by reconstruction, optionally denoising.

    E |decode(encode(corrupt(x))) - x|^2, the mean over values

One turn trains both networks. An autoencoder is no generative model; to sample from it, a normal distribution is fitted to
its codes during training, and samples of that are decoded.

References: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks"; Vincent,
Larochelle, Bengio & Manzagol 2008, "Extracting and composing robust features with denoising autoencoders"
(corruption); Ghosh et al. 2020, arXiv:1903.12436, sec. 4 (a distribution fitted to the codes afterwards).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import Latent, Sample, SampleSpec
from sparring.models.autoencoder import Decoder, Encoder, IdentityLikelihood, with_latent
from sparring.models.generator import GeneratorModel
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors import Deterministic
from sparring.parts.posteriors.base import check_latent

AVERAGED_BATCHES = 200  # horizon of the fitted moments, in batches
COVARIANCE_RIDGE = (
    1e-6  # added to the covariance's diagonal, relative to its mean; raised where rounding left it indefinite
)
MAX_CODE_SIZE = 4_096  # the covariance has the square of this many values


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """An autoencoder; with `noise` a denoising one.

    Arguments:
        encoder: settings of the encoder's body, from samples to features.
        decoder: from codes to samples; its `latent` is set to the code size.
        latent: size of a code, at most 4,096.
        corruption: of the encoder's input in training: `gaussian` adds normal noise of standard deviation `noise` in units of
            [-1, 1]; `masking` sets a fraction `noise` of the values to -1 (black; to 0 for points).
        noise: strength of the corruption; 0 for none.

    Raises:
        ConfigError: a code size or noise out of range.
    """

    encoder: DiscriminatorNetwork
    decoder: GeneratorNetwork
    latent: int = 32
    corruption: Literal["gaussian", "masking"] = "gaussian"
    noise: schedule.Schedule = 0.0

    def __post_init__(self) -> None:
        check_latent(self.latent, MAX_CODE_SIZE)
        object.__setattr__(
            self, "decoder", with_latent(self.decoder, Deterministic(latent=self.latent).code_size)
        )
        values = schedule.endpoints(self.noise)
        if min(values) < 0 or (self.corruption == "masking" and max(values) > 1):
            expected = "0 or more; for masking at most 1"
            raise ConfigError(f"noise {self.noise}", expected, "set game.noise=0.5, or 0 for none")

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The untrained decoder and encoder."""
        plain_spec = SampleSpec(shape=spec.shape)
        posterior = Deterministic(latent=self.latent)
        decoder = Decoder(
            FittedNormal(posterior.code_size), self.decoder.build(plain_spec), IdentityLikelihood()
        )
        return GeneratorModel(
            decoder, posterior.code_size, plain_spec, Encoder(self.encoder, posterior, plain_spec)
        )

    def build(self, spec: SampleSpec) -> "Autoencoder":
        """The game for samples of this shape."""
        return Autoencoder(self, spec)


class Autoencoder(Game):
    """Trains encoder and decoder by reconstruction, and fits a normal distribution to the codes."""

    def __init__(self, config: AutoencoderConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config = config
        self.generation = config.build_model(spec)

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self.generation}

    def turns(self) -> list[Turn]:
        return [Turn(name="autoencoder", players=("autoencoder",), terms=self._terms)]

    def _terms(self, batch: Batch) -> Terms:
        encoder, decoder = self.generation.encoder_decoder()
        codes = encoder(self._corrupted(batch))
        reconstruction = decoder.decode(codes)
        assert isinstance(decoder.prior, FittedNormal)
        decoder.prior.update(codes.detach().float())
        return Terms({"reconstruction": (reconstruction - batch.x).float().square().flatten(1).mean(1)}, {})

    def _corrupted(self, batch: Batch) -> Sample:
        x, amount = batch.x, schedule.value_at(self.config.noise, batch.images)
        if amount == 0:
            return x
        if self.config.corruption == "gaussian":
            return x + amount * batch.rng.normal("corruption", *x.shape[1:])
        masked = batch.rng.uniform("corruption", *x.shape[1:]) < amount
        return x.masked_fill(masked, -1.0 if x.ndim == 4 else 0.0)


class FittedNormal(nn.Module):
    """A normal distribution with the mean and covariance of recent codes.

    z ~ N(0, 1)  ->  mean + L z,  L L^T = covariance

    Arguments:
        size: of a code.

    Shape: (b, size) to (b, size).
    """

    mean: Tensor
    covariance: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("covariance", torch.eye(size))
        self.register_buffer(
            "count", torch.zeros(())
        )  # of batches, as a float: the EMA copies integers and averages floats

    @torch.no_grad()
    def update(self, codes: Latent) -> None:
        """Take in the moments of codes (b, size): the mean over batches at first, exponential after `AVERAGED_BATCHES`."""
        weight = 1 / (self.count + 1).clamp(max=AVERAGED_BATCHES)
        mean = codes.mean(0)
        shift, centred = mean - self.mean, codes - mean
        with torch.autocast(codes.device.type, enabled=False):
            covariance = centred.T @ centred / len(codes)
        self.covariance.addcmul_(weight * shift[:, None], shift).lerp_(covariance, weight)
        self.mean.lerp_(mean, weight)
        self.count.add_(1)

    def forward(self, z: Latent) -> Latent:
        return self.mean + z @ self.factor().T

    def factor(self) -> Tensor:
        """The Cholesky factor L (size, size), computed in float64 on the CPU."""
        covariance = self.covariance.cpu().double()
        ridge = (COVARIANCE_RIDGE * covariance.diagonal().mean() + 1e-12) * torch.eye(
            len(covariance), dtype=torch.float64
        )
        factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        while failed and ridge.isfinite().all():
            ridge = 10 * ridge
            factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        return factor.to(self.mean)
