"""Variational autoencoders: encoder, decoder and the evidence lower bound (ELBO), or its importance-weighted
form.

    ELBO = RE - KL,  RE = E_q[log p(x|z)],  KL = KL(q(z|x) || p(z))                              (importance = 1)
    bound_k = E[log (1/k) sum_i p(x|z_i) p(z_i) / q(z_i|x)] >= ELBO                               (importance = k)

One turn trains both networks. The record has RE, KL and their difference in nats, without the weights of the losses.

References: Kingma & Welling 2014, arXiv:1312.6114, eq. 3 and Algorithm 1; Rezende et al. 2014,
arXiv:1401.4082; Higgins et al. 2017, "beta-VAE" (the weight on KL); Bowman et al. 2016, arXiv:1511.06349 (its
warm-up); Kingma et al. 2016, arXiv:1606.04934, eq. 15 (free bits); Burda et al. 2016, arXiv:1509.00519, eq. 8
(importance weights); Sohn et al. 2015, "Learning structured output representation using deep conditional
generative models" (labels).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.shapes import SampleSpec
from sparring.models.autoencoder import Decoder, Encoder, conditional_spec, for_decoder, require_labelled_spec
from sparring.models.generator import GeneratorModel
from sparring.parts.likelihoods import Bernoulli, Likelihood
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.posteriors import Deterministic
from sparring.parts.posteriors.base import Posterior


@dataclass(frozen=True, kw_only=True)
class VariationalConfig:
    """A variational autoencoder.

    Arguments:
        encoder: settings of the encoder's body, from samples to features.
        decoder: from codes to the parameters of the likelihood; its `latent` and `output` are set accordingly.
        posterior: the family of q(z|x), with its prior; its `latent` is the dimension d of the codes.
        likelihood: log p(x|z).
        beta: weight of KL; a schedule from 0 warms it up.
        free_bits: KL in nats per sample, as a mean over the batch, below which it has no gradient.
        importance_samples: codes per sample (k).
        conditional: whether encoder and decoder are conditioned on labels.

    Raises:
        ConfigError: a setting out of range, or settings that exclude each other.
    """

    encoder: DiscriminatorNetwork
    decoder: GeneratorNetwork
    posterior: Posterior
    likelihood: Likelihood = Bernoulli()
    beta: schedule.Schedule = 1.0
    free_bits: float = 0.0
    importance_samples: int = 1
    conditional: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", for_decoder(self.decoder, self.posterior.code_size))
        if self.importance_samples < 1 or min(self.free_bits, *schedule.endpoints(self.beta)) < 0:
            got = (
                f"importance_samples={self.importance_samples}, free_bits={self.free_bits}, beta={self.beta}"
            )
            raise ConfigError(
                got, "1 or more codes, 0 or more nats, a weight of 0 or more", "fix the numbers"
            )
        if self.importance_samples > 1 and isinstance(self.posterior, Deterministic):
            raise ConfigError(
                "importance weights of deterministic codes, which have no density",
                "a posterior that is a distribution",
                "set game.importance_samples=1 or game.posterior=normal",
            )
        if self.importance_samples > 1 and self.free_bits:
            raise ConfigError(
                "free bits with importance weights, which have no KL term",
                "one of them",
                "set one to its default",
            )

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The untrained decoder and encoder."""
        model_spec = conditional_spec(spec, self.conditional)
        network = self.decoder.build(
            replace(self.likelihood.decoder_output(model_spec), num_classes=model_spec.num_classes)
        )
        decoder = Decoder(
            self.posterior.prior, network, self.likelihood.build(model_spec), self.posterior.prior_std
        )
        encoder = Encoder(self.encoder, self.posterior, model_spec, self.likelihood.binary)
        return GeneratorModel(decoder, self.posterior.code_size, model_spec, encoder)

    def build(self, spec: SampleSpec) -> "Variational":
        """The game for samples of this shape.

        Raises:
            ConfigError: a conditional game for data without labels.
        """
        require_labelled_spec(spec, self.conditional)
        return Variational(self, spec)


class Variational(Game):
    """Trains encoder and decoder by the ELBO, or by its importance-weighted form."""

    def __init__(self, config: VariationalConfig, spec: SampleSpec) -> None:
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
        batch = batch if self.config.conditional else replace(batch, y=None)
        beta = schedule.value_at(self.config.beta, batch.images)
        if self.config.importance_samples > 1:
            return iwae_terms(self.generation.encoder_decoder(), batch, self.config.importance_samples, beta)
        return elbo_terms(self.generation.encoder_decoder(), batch, beta, self.config.free_bits)


def elbo_terms(
    encoder_decoder: tuple[Encoder, Decoder], batch: Batch, beta: float, free_bits: float = 0.0
) -> Terms:
    """The losses -RE and beta KL from one code per sample, KL in closed form."""
    encoder, decoder = encoder_decoder
    x = decoder.likelihood.prepare_data(batch.x, batch.rng)
    posterior = encoder.distribution(x, batch.y)
    z = posterior.sample(batch.rng, "code")[0]
    re = decoder.likelihood(x, decoder.decoder_output(z, batch.y))
    kl = posterior.kl()
    paid = torch.where(kl.mean() < free_bits, torch.zeros_like(kl), kl) if free_bits else kl
    return Terms({"reconstruction": -re, "weighted_kl": beta * paid}, elbo_metrics(re, kl))


def iwae_terms(encoder_decoder: tuple[Encoder, Decoder], batch: Batch, count: int, beta: float) -> Terms:
    """The negative importance-weighted bound from `count` codes per sample; beta is an exponent on p(z) / q(z|x)."""
    encoder, decoder = encoder_decoder
    x = decoder.likelihood.prepare_data(batch.x, batch.rng)
    posterior = encoder.distribution(x, batch.y)
    z = posterior.sample(batch.rng, "code", count)
    re = decoder.log_likelihood(x, z, batch.y)
    kl = posterior.log_prob(z) - posterior.prior_log_prob(z)
    bound = (re - beta * kl).logsumexp(0) - math.log(count)
    return Terms(
        {"negative_bound": -bound}, elbo_metrics(re.mean(0), kl.mean(0)) | {"bound": bound.detach().mean()}
    )


def elbo_metrics(re: Tensor, kl: Tensor) -> dict[str, Tensor]:
    """Batch means of RE, KL and ELBO = RE - KL in nats, for the record."""
    re_mean, kl_mean = re.detach().mean(), kl.detach().mean()
    return {"re": re_mean, "kl": kl_mean, "elbo": re_mean - kl_mean}
