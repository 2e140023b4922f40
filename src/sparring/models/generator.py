"""GeneratorModel: a network from latents (and labels) to samples, with its encoder where there is one."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sparring.core import rng
from sparring.core.errors import SparringError
from sparring.core.game import ClassifierLike
from sparring.core.shapes import Labels, Latent, Sample, SampleSpec
from sparring.core.transparency import premultiply
from sparring.metrics import LatentLikelihood, latent_log_likelihood
from sparring.models.autoencoder import Decoder, Encoder, GenerativeClassifier, IdentityLikelihood
from sparring.models.model import CardLines, Model, describe_size
from sparring.parts.networks.layers.batch_norm_statistics import recompute_batch_norm_statistics

SAMPLE_BLOCK = 16  # samples per forward pass, always whole blocks, so that rounding does not depend on the number of samples


class GeneratorModel(Model):
    """A generator (or decoder) with its latent distribution, and the encoder where there is one.

    Arguments:
        generator: from (z, y) to samples (b, *sample).
        latent: dimension of z, standard normal.
        spec: of the samples; `num_classes` > 0 where the generator is conditional.
        encoder: from samples to codes; sampling needs none.
        multiply_by_alpha: whether the colours of the generator's transparent images are multiplied by their alpha, so that nobody
            sees what it draws under alpha 0. Not for one that is fitted to samples, whose colours already are.

    `shares` (classes,): the share of each class in the training data.
    """

    kind = "generator"
    summary = "a generator, which samples and takes no input images"
    command = "use `sparring sample RUN --n 64 --out FOLDER`"
    shares: Tensor

    def __init__(
        self,
        generator: nn.Module,
        latent: int,
        spec: SampleSpec,
        encoder: Encoder | None = None,
        multiply_by_alpha: bool = False,
    ) -> None:
        super().__init__()
        self.multiply_by_alpha = multiply_by_alpha
        self.generator, self.latent, self.spec, self.encoder = generator, latent, spec, encoder
        self.register_buffer("shares", torch.full((spec.num_classes,), 1 / max(1, spec.num_classes)))

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        x: Sample = self.generator(z, y)
        return premultiply(x) if self.multiply_by_alpha else x

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

    def classifier(self) -> ClassifierLike | None:
        """The generator itself where it has class probabilities (naive Bayes); importance sampling where a conditional model
        has an encoder and a likelihood; otherwise None.
        """
        if self.spec.num_classes < 2:
            return None
        if isinstance(self.generator, ClassifierLike):
            return self.generator
        if self.encoder is None or not self.has_likelihood:
            return None
        encoder, decoder = self.encoder_decoder()
        return GenerativeClassifier(encoder=encoder, decoder=decoder, class_frequencies=self.shares)

    @property
    def has_likelihood(self) -> bool:
        """Whether the decoder defines log p(x|z)."""
        return isinstance(self.generator, Decoder) and not isinstance(
            self.generator.likelihood, IdentityLikelihood
        )

    def card_lines(self) -> CardLines:
        tag = "unconditional-image-generation" if self.spec.is_image else "other"
        label = ", labels=0" if self.spec.num_classes else ""
        load = 'run = sparring.load("hf://USER/NAME")  # or this folder'
        usage = [load, f"images = run.sample(16, seed=0{label})"]
        return CardLines(tag, f"Samples are {describe_size(self.spec)}.", usage)

    def facts(self) -> dict[str, Any]:
        return {"latent": self.latent}

    def set_class_frequencies(self, frequencies: Tensor) -> None:
        if len(self.shares):
            self.shares.copy_(frequencies)

    def encode(self, x: Sample, y: Labels | None = None) -> Latent:
        """Codes (b, code) of samples; the means where the encoder predicts distributions."""
        return self.encoder_decoder()[0](x, y)

    def reconstruct(self, x: Sample, y: Labels | None = None) -> Sample:
        """Decoded codes of samples (b, *sample)."""
        encoder, decoder = self.encoder_decoder()
        return decoder.decode(encoder(x, y), y)

    @torch.no_grad()
    def log_likelihood(
        self, x: Tensor, y: Labels | None = None, *, samples: int = 500, seed: int = 0
    ) -> LatentLikelihood:
        """Log-likelihood of data (n, *sample) on the CPU, in nats per sample; see `metrics.latent_log_likelihood`.

        Grey values are binarised once, with `seed`, for a Bernoulli likelihood. Codes are weighted by the prior of the encoder's
        posterior: for a two-stage model this is the likelihood of its first stage.

        Raises:
            SparringError: there is no encoder, or no likelihood.
        """
        encoder, decoder = self.encoder_decoder()
        if not self.has_likelihood:
            got = "a model without a likelihood"
            raise SparringError(got, "a variational autoencoder", "train with --recipe vae")
        device = next(self.parameters()).device
        random = rng.KeyedRandom(seed, (0,), len(x), device=device)
        data = decoder.likelihood.prepare_data(x.to(device), random)
        labels = y.to(device) if y is not None and self.spec.num_classes else None
        return latent_log_likelihood(
            encoder.distribution, decoder.log_likelihood, data, labels, samples=samples, seed=seed
        )

    def without_encoder(self) -> "GeneratorModel":
        """A copy without the encoder: sampling needs none."""
        copied = copy.deepcopy(self)
        copied.encoder = None
        return copied

    def for_inference(self, seed: int, batches: int = 4, batch: int = 128) -> "GeneratorModel":
        """A copy in evaluation mode with batch normalisation statistics recomputed for its weights. Models with an encoder keep
        the averages of training, which are of the codes of real samples.

        Arguments:
            seed: of the latents and labels on which the statistics are computed.
            batches: number of forward passes.
            batch: samples per pass.
        """
        copied = copy.deepcopy(self).eval()
        if self.encoder is not None:
            return copied
        device = self.shares.device

        def run_batch(number: int) -> None:
            random = rng.KeyedRandom(seed, (number,), batch, device=device)
            y = self.draw_labels(seed, range(number * batch, (number + 1) * batch))
            copied(random.normal("statistics.latent", self.latent), None if y is None else y.to(device))

        recompute_batch_norm_statistics(copied, batches, run_batch)
        return copied

    @torch.no_grad()
    def sample(
        self, seed: int, indices: range, labels: Tensor | None = None, truncation: float = 1.0
    ) -> Sample:
        """Samples (n, *sample) on the CPU in float32; sample i depends on `(seed, indices[i])` and its label alone.

        Arguments:
            seed: of the latents.
            indices: of samples in the endless sequence of this seed.
            labels: (n,) for a conditional generator; None draws them as frequent as in the data.
            truncation: factor on z; below 1 samples become more typical and less diverse.

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
        self, seed: int, block: range, requested: range, labels: Tensor | None, truncation: float
    ) -> Tensor:
        device = self.shares.device
        first, last = max(block.start, requested.start), min(block.stop, requested.stop)
        z = rng.sample_latents(seed, block, self.latent) * truncation
        y = None
        if labels is not None:
            y = torch.zeros(len(block), dtype=torch.int64)
            y[first - block.start : last - block.start] = labels[
                first - requested.start : last - requested.start
            ]
            y = y.to(device)
        return self(z.to(device), y)[first - block.start : last - block.start].float().cpu()

    def draw_labels(self, seed: int, indices: range) -> Tensor | None:
        """Labels (n,), as frequent as in the training data; label i depends on `(seed, indices[i])`. None without classes."""
        if not self.spec.num_classes:
            return None
        if not len(indices):
            return torch.zeros(0, dtype=torch.int64)
        uniform = [torch.rand((), generator=rng.make_generator(seed, "label", index)) for index in indices]
        edges = self.shares.cpu().cumsum(0)
        labels = torch.searchsorted(edges, torch.stack(uniform) * edges[-1], right=True)
        return labels.to(torch.int64).clamp_max(self.spec.num_classes - 1)

    def _check_labels(self, labels: Tensor) -> Tensor:
        classes = self.spec.num_classes
        if not classes:
            raise SparringError("labels for an unconditional generator", "no labels", "leave the label out")
        if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < classes):
            raise SparringError(
                f"a label of {int(labels.max())}", f"0 to {classes - 1}", "choose one of the classes"
            )
        return labels
