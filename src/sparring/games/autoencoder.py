"""Autoencoders: deterministic encoder and decoder trained by reconstruction, optionally denoising.

    E |decode(encode(corrupt(x))) - x|^2, the mean over values

Two networks, one turn. An autoencoder is no generative model; to sample from it nonetheless, a normal
distribution is fitted to its codes while it trains, and codes drawn from that are decoded.

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

AVERAGED_BATCHES = 200  # batches that the fitted distribution looks back on
COVARIANCE_RIDGE = (
    1e-6  # on the covariance's diagonal, as a share of its mean; more where rounding has left it indefinite
)
MAX_CODE_SIZE = 4_096  # size of a code whose covariance is kept


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """An autoencoder, or with `noise` a denoising one.

    Arguments:
        encoder: body of the encoder, from samples to features.
        decoder: from codes to samples. Its `latent` is set to fit.
        latent: size of a code, at most 4,096.
        corruption: of what the encoder sees in training: `gaussian` adds normal noise of deviation `noise` in units of [-1, 1];
            `masking` sets a share `noise` of the values to -1 (black; to 0 for points).
        noise: how much; 0 for none.
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
            raise ConfigError(f"noise {self.noise}", "0 or more; at most 1 of masking", "fix it")

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """Decoder and encoder, untrained."""
        seen = SampleSpec(shape=spec.shape)
        posterior = Deterministic(latent=self.latent)
        decoder = Decoder(FittedNormal(posterior.code_size), self.decoder.build(seen), IdentityLikelihood())
        return GeneratorModel(decoder, posterior.code_size, seen, Encoder(self.encoder, posterior, seen))

    def build(self, spec: SampleSpec) -> "Autoencoder":
        """The game for samples of this kind."""
        return Autoencoder(self, spec)


class Autoencoder(Game):
    """The game of one player."""

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
        back = decoder.decode(codes)
        assert isinstance(decoder.prior, FittedNormal)
        decoder.prior.update(codes.detach().float())
        return Terms({"reconstruction": (back - batch.x).float().square().flatten(1).mean(1)}, {})

    def _corrupted(self, batch: Batch) -> Sample:
        x, amount = batch.x, schedule.value_at(self.config.noise, batch.images)
        if amount == 0:
            return x
        if self.config.corruption == "gaussian":
            return x + amount * batch.rng.normal("corruption", *x.shape[1:])
        gone = batch.rng.uniform("corruption", *x.shape[1:]) < amount
        return x.masked_fill(gone, -1.0 if x.ndim == 4 else 0.0)


class FittedNormal(nn.Module):
    """The normal distribution with mean and covariance of the codes of late.

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
        )  # of batches, as a float: whole numbers are not averaged but copied

    @torch.no_grad()
    def update(self, codes: Latent) -> None:
        """Move towards the moments of a batch: the mean of all at first, of the last `AVERAGED_BATCHES` batches or so later on."""
        weight = 1 / (self.count + 1).clamp(max=AVERAGED_BATCHES)
        middle = codes.mean(0)
        shift, off = middle - self.mean, codes - middle
        with torch.autocast(codes.device.type, enabled=False):
            spread = off.T @ off / len(codes)
        self.covariance.addcmul_(weight * shift[:, None], shift).lerp_(spread, weight)
        self.mean.lerp_(middle, weight)
        self.count.add_(1)

    def forward(self, z: Latent) -> Latent:
        return self.mean + z @ self.factor().T

    def factor(self) -> Tensor:
        """L (size, size), computed in float64 on the CPU."""
        covariance = self.covariance.cpu().double()
        ridge = (COVARIANCE_RIDGE * covariance.diagonal().mean() + 1e-12) * torch.eye(
            len(covariance), dtype=torch.float64
        )
        factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        while failed and ridge.isfinite().all():
            ridge = 10 * ridge
            factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        return factor.to(self.mean)
