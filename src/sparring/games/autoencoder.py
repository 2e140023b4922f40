"""Autoencoders: to a code and back, and nothing random about it.

    E |decode(encode(corrupt(x))) - x|^2, the mean over values

Two networks, one turn. An autoencoder is no generative model; to sample from it nonetheless, a normal distribution is fitted to
its codes while it trains, and codes drawn from that are decoded.

References: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks"; Vincent, Larochelle, Bengio &
Manzagol 2008, "Extracting and composing robust features with denoising autoencoders" (corruption); Ghosh et al. 2020,
arXiv:1903.12436, sec. 4 (a distribution fitted to the codes afterwards).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from sparring import schedule
from sparring.errors import ConfigError
from sparring.game import Batch, Game, Terms, Turn
from sparring.games.coding import Decoder, Encoder, Itself, resized
from sparring.games.generation import Generation
from sparring.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.posteriors import Deterministic
from sparring.posteriors.posterior import check_latent
from sparring.shapes import Latent, Sample, Spec

MEMORY = 200  # batches that the fitted distribution looks back on
RIDGE = (
    1e-6  # on the covariance's diagonal, as a share of its mean; more where rounding has left it indefinite
)
LARGEST = 4_096  # size of a code whose covariance is kept


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
        check_latent(self.latent, LARGEST)
        object.__setattr__(self, "decoder", resized(self.decoder, Deterministic(latent=self.latent).code))
        values = schedule.ends(self.noise)
        if min(values) < 0 or (self.corruption == "masking" and max(values) > 1):
            raise ConfigError(f"noise {self.noise}", "0 or more; at most 1 of masking", "mend it")

    def kept(self, spec: Spec) -> Generation:
        """Decoder and encoder, untrained."""
        seen = Spec(shape=spec.shape)
        posterior = Deterministic(latent=self.latent)
        decoder = Decoder(FittedNormal(posterior.code), self.decoder.build(seen), Itself())
        return Generation(decoder, posterior.code, seen, Encoder(self.encoder, posterior, seen))

    def build(self, spec: Spec) -> "Autoencoder":
        """The game for samples of this kind."""
        return Autoencoder(self, spec)


class Autoencoder(Game):
    """The game of one player."""

    def __init__(self, config: AutoencoderConfig, spec: Spec) -> None:
        super().__init__()
        self.config = config
        self.generation = config.kept(spec)

    @property
    def kept(self) -> Generation:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {"autoencoder": self.generation}

    def turns(self) -> list[Turn]:
        return [Turn(name="autoencoder", players=("autoencoder",), terms=self._terms)]

    def _terms(self, batch: Batch) -> Terms:
        encoder, decoder = self.generation.coders()
        codes = encoder(self._corrupted(batch))
        back = decoder.decode(codes)
        assert isinstance(decoder.prior, FittedNormal)
        decoder.prior.take_in(codes.detach().float())
        return Terms({"reconstruction": (back - batch.x).float().square().flatten(1).mean(1)}, {})

    def _corrupted(self, batch: Batch) -> Sample:
        x, amount = batch.x, schedule.at(self.config.noise, batch.images)
        if amount == 0:
            return x
        if self.config.corruption == "gaussian":
            return x + amount * batch.draws.normal("corruption", *x.shape[1:])
        gone = batch.draws.uniform("corruption", *x.shape[1:]) < amount
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
    def take_in(self, codes: Latent) -> None:
        """Move towards the moments of a batch: the mean of all at first, of the last `MEMORY` batches or so later on."""
        weight = 1 / (self.count + 1).clamp(max=MEMORY)
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
        ridge = (RIDGE * covariance.diagonal().mean() + 1e-12) * torch.eye(
            len(covariance), dtype=torch.float64
        )
        factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        while failed and ridge.isfinite().all():
            ridge = 10 * ridge
            factor, failed = torch.linalg.cholesky_ex(covariance + ridge)
        return factor.to(self.mean)
