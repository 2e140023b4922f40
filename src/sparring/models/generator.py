"""Generator model: the network from latents (and labels) to samples, with its encoder where there is one."""

import copy

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.errors import SparringError
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.metrics import LatentLikelihood, latent_log_likelihood
from sparring.models.autoencoder import Decoder, Encoder, IdentityLikelihood
from sparring.parts.networks.layers.batch_norm_statistics import recompute_batch_norm_statistics

SAMPLE_BLOCK = 16  # samples are always made in whole blocks of this size, so that rounding can't depend on how many are asked for


class GeneratorModel(nn.Module):
    """A generator (or decoder) with its latent space, and the encoder where there is one.

    Arguments:
        generator: from (z, y) to samples (b, *sample).
        latent: dimension of z, standard normal.
        spec: of the samples; `classes` > 0 where the generator takes labels.
        encoder: from samples to codes; sampling needs none.

    `shares` (classes,) says how frequent each class is in the data.
    """

    shares: Tensor

    def __init__(
        self, generator: nn.Module, latent: int, spec: SampleSpec, encoder: Encoder | None = None
    ) -> None:
        super().__init__()
        self.generator, self.latent, self.spec, self.encoder = generator, latent, spec, encoder
        self.register_buffer("shares", torch.full((spec.num_classes,), 1 / max(1, spec.num_classes)))

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        return self.generator(z, y)

    def encoder_decoder(self) -> tuple[Encoder, Decoder]:
        """Encoder and decoder.

        Raises:
            SparringError: there is no encoder.
        """
        if self.encoder is None or not isinstance(self.generator, Decoder):
            raise SparringError(
                "a generator without an encoder",
                "a run of an autoencoder (ae, vae, svae ...), with its encoder",
                "train one: sparring train --recipe vae",
            )
        return self.encoder, self.generator

    def encode(self, x: Sample, y: Labels | None = None) -> Latent:
        """Codes (b, code) of samples, the means where the encoder gives distributions."""
        return self.encoder_decoder()[0](x, y)

    def reconstruct(self, x: Sample, y: Labels | None = None) -> Sample:
        """Samples as they come back from their codes."""
        encoder, decoder = self.encoder_decoder()
        return decoder.decode(encoder(x, y), y)

    @torch.no_grad()
    def log_likelihood(
        self, x: Tensor, y: Labels | None = None, *, samples: int = 500, seed: int = 0
    ) -> LatentLikelihood:
        """How likely data (n, *sample) on the CPU is, in nats a sample; see `metrics.latent_log_likelihood`.

        What a Bernoulli model draws from grey data is drawn once, by the seed. Codes are weighted by the encoder's own prior: of a
        two-stage model this is the likelihood of its first stage.

        Raises:
            SparringError: there is no encoder, or no likelihood.
        """
        encoder, decoder = self.encoder_decoder()
        if isinstance(decoder.likelihood, IdentityLikelihood):
            raise SparringError(
                "a model without a likelihood", "a variational one", "train with --recipe vae"
            )
        device = next(self.parameters()).device
        given = decoder.likelihood.prepare_data(
            x.to(device), rng.KeyedRandom(seed, (0,), len(x), device=device)
        )
        labels = y.to(device) if y is not None and self.spec.num_classes else None
        return latent_log_likelihood(
            encoder.distribution, decoder.log_likelihood, given, labels, samples=samples, seed=seed
        )

    def without_encoder(self) -> "GeneratorModel":
        """A copy without the encoder: sampling needs none."""
        copied = copy.deepcopy(self)
        copied.encoder = None
        return copied

    def for_inference(self, seed: int, batches: int = 4, batch: int = 128) -> "GeneratorModel":
        """A copy in evaluation mode, whose batch normalisation has the statistics of its own weights. (With an encoder, those
        that were averaged in training: they are of the data's codes.)

        Arguments:
            seed: of the latents and labels that they are measured on.
            batches, batch: how many of these.
        """
        copied = copy.deepcopy(self).eval()
        if self.encoder is not None:
            return copied
        device = self.shares.device

        def play(number: int) -> None:
            draws = rng.KeyedRandom(seed, (number,), batch, device=device)
            y = self.draw_labels(seed, range(number * batch, (number + 1) * batch))
            copied(draws.normal("statistics.latent", self.latent), None if y is None else y.to(device))

        recompute_batch_norm_statistics(copied, batches, play)
        return copied

    @torch.no_grad()
    def sample(
        self, seed: int, indices: range, labels: Tensor | None = None, truncation: float = 1.0
    ) -> Sample:
        """Samples (n, *sample) on the CPU in float32; sample i depends on `(seed, indices[i])` and its label alone.

        Arguments:
            seed: of the latents.
            indices: which of the seed's endless row of samples.
            labels: (n,) of a conditional generator; drawn where None.
            truncation: factor on z, 1 for the whole distribution; smaller gives more typical and less varied samples.

        Raises:
            SparringError: labels for an unconditional generator, or out of range.
        """
        labels = self.draw_labels(seed, indices) if labels is None else self._check_labels(labels)
        start = indices.start - indices.start % SAMPLE_BLOCK if len(indices) else 0
        blocks = []
        for first in range(start, indices.stop if len(indices) else 0, SAMPLE_BLOCK):
            blocks.append(self._block(seed, range(first, first + SAMPLE_BLOCK), indices, labels, truncation))
        return torch.cat(blocks) if blocks else torch.empty(0, *self.spec.shape)

    def _block(
        self, seed: int, block: range, wanted: range, labels: Tensor | None, truncation: float
    ) -> Tensor:
        device = self.shares.device
        first, last = max(block.start, wanted.start), min(block.stop, wanted.stop)
        z = rng.sample_latents(seed, block, self.latent) * truncation
        y = None
        if labels is not None:
            y = torch.zeros(len(block), dtype=torch.int64)
            y[first - block.start : last - block.start] = labels[first - wanted.start : last - wanted.start]
            y = y.to(device)
        return self(z.to(device), y)[first - block.start : last - block.start].float().cpu()

    def draw_labels(self, seed: int, indices: range) -> Tensor | None:
        """Labels (n,) as frequent as in the data; the one of sample i depends on `(seed, indices[i])`. None without classes."""
        if not self.spec.num_classes:
            return None
        places = [torch.rand((), generator=rng.make_generator(seed, "label", index)) for index in indices]
        edges = self.shares.cpu().cumsum(0)
        drawn = (
            torch.searchsorted(edges, torch.stack(places) * edges[-1], right=True)
            if places
            else torch.zeros(0)
        )
        return drawn.to(torch.int64).clamp_max(self.spec.num_classes - 1)

    def _check_labels(self, labels: Tensor) -> Tensor:
        classes = self.spec.num_classes
        if not classes:
            raise SparringError(
                "labels given", "none: this generator was trained without labels", "leave the label out"
            )
        if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < classes):
            raise SparringError(
                f"a label of {int(labels.max())}", f"0 to {classes - 1}", "choose one of the classes"
            )
        return labels
