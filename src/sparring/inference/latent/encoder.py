"""Encoders for inversion: a run's own encoder, or a small one that is fitted to a generator's samples in
seconds, and its file.

References:
    Donahue, Kraehenbuehl & Darrell 2017, arXiv 1605.09782, section 4.2 (the latent regressor, fitted to a generator's own samples).
    Zhu, Kraehenbuehl, Shechtman & Efros 2016, arXiv 1609.03552, section 3.1 (a network's prediction, then optimised).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core import rng, storage, tensor_file
from sparring.core.errors import SparringError
from sparring.core.shapes import Labels, Sample
from sparring.inference.latent.decoding import forward
from sparring.models.autoencoder import Decoder, Encoder
from sparring.models.generator import GeneratorModel
from sparring.parts.networks.dcgan import DCGANDiscriminator
from sparring.parts.networks.mlp import MLPDiscriminator

# from samples and their classes to latents (b, z) and logits of the classes (b, k)
LatentEncoder = Callable[[Sample, "Labels | None"], tuple[Tensor, Tensor | None]]
StepCallback = Callable[[int, int], bool]  # called with (steps done, total); return true to stop
GENERATOR_KEY = "generator"  # in the header of an encoder's file: SHA-256 of the generator's weights


class FittedEncoder(nn.Module):
    """A small convolutional encoder, from samples of a generator to their latents and the logits of their classes.

    Arguments:
        generation: the generator.
        width: channels of the first layer.

    Shape: (b, *sample) to (b, z) and (b, classes) or None.
    """

    def __init__(self, generation: GeneratorModel, width: int = 32) -> None:
        super().__init__()
        spec = generation.spec
        convolutional = DCGANDiscriminator(width=width, max_width=8 * width, norm="none")
        body: Any = (convolutional if spec.is_image else MLPDiscriminator()).build(spec)
        self.body, self.latent = body, generation.latent
        self.head = nn.Linear(body.num_features, generation.latent + spec.num_classes)

    def forward(self, x: Sample, y: Labels | None = None) -> tuple[Tensor, Tensor | None]:
        out = self.head(self.body(x))
        z, logits = out[:, : self.latent], out[:, self.latent :]
        return z, logits if logits.shape[1] else None


def fit_encoder(
    generation: GeneratorModel,
    *,
    steps: int = 600,
    batch: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: StepCallback | None = None,
) -> FittedEncoder:
    """Fit a small encoder to samples of a generator.

        min_E  |E(G(z, y)) - z|^2 / z  +  |G(E(G(z, y))) - G(z, y)|^2  -  log softmax(E_y(G(z, y)))_y

    Deviation: the second term, which compares samples where several latents give the same one.

    Arguments:
        steps: of Adam.
        batch: samples per step.
        learning_rate: at the first step; it falls linearly to 0.
        seed: of the samples and of the initial weights.
        progress: called after each step; return true to stop.
    """
    device = generation.shares.device
    encoder = _initialise(FittedEncoder(generation), seed).to(device)
    optimizer = torch.optim.Adam(encoder.parameters(), learning_rate)
    for step in range(steps):
        z = torch.randn(batch, generation.latent, generator=rng.make_generator(seed, "encoder", step))
        y = generation.draw_labels(seed, range(step * batch, (step + 1) * batch))
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        with torch.enable_grad():
            loss = _loss(generation, encoder, z.to(device), None if y is None else y.to(device))
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        if progress is not None and progress(step + 1, steps):
            break
    return encoder.eval().requires_grad_(False)


def _loss(generation: GeneratorModel, encoder: FittedEncoder, z: Tensor, y: Tensor | None) -> Tensor:
    with torch.no_grad():
        x = forward(generation, z, y)
    predicted, logits = encoder(x)
    loss = (predicted - z).square().mean() + (forward(generation, predicted, y) - x).square().mean()
    return loss if logits is None or y is None else loss + F.cross_entropy(logits, y)


def _initialise(encoder: FittedEncoder, seed: int) -> FittedEncoder:
    """Initialise weights from the seed alone (He et al. 2015, arXiv 1502.01852, Eq. 10), those of the head smaller."""
    for number, (name, parameter) in enumerate(encoder.named_parameters()):
        inputs = parameter[0].numel() if parameter.ndim > 1 else 0
        draw = torch.randn(parameter.shape, generator=rng.make_generator(seed, "encoder weights", number))
        gain = 0.3 if name.startswith("head.") else 2.0
        parameter.data.copy_(draw * (gain / inputs) ** 0.5 if inputs else torch.zeros_like(draw))
    return encoder


def save_encoder(path: Path, encoder: FittedEncoder, generation: GeneratorModel) -> None:
    """Write a fitted encoder to a .safetensors file, with a fingerprint of its generator."""
    storage.make_folder(path.parent)
    header = {GENERATOR_KEY: generator_fingerprint(generation)}
    storage.write_atomic(path, tensor_file.to_bytes(encoder.state_dict(), header))


def load_encoder(generation: GeneratorModel, path: Path) -> FittedEncoder | None:
    """Read an encoder that `save_encoder` wrote; None if there is no file, or if it belongs to another generator.

    Raises:
        CorruptFileError: the file holds something else.
    """
    if not path.is_file():
        return None
    data = storage.read(path)
    if tensor_file.read_header(data)[1].get(GENERATOR_KEY) != generator_fingerprint(generation):
        return None
    with torch.device("meta"):
        encoder = FittedEncoder(generation)
    encoder.load_state_dict(tensor_file.from_bytes(data, encoder.state_dict()), assign=True)
    return encoder.to(generation.shares.device).eval().requires_grad_(False)


def generator_fingerprint(generation: GeneratorModel) -> str:
    """SHA-256 of the weights of a generator."""
    return hashlib.sha256(tensor_file.to_bytes(generation.state_dict())).hexdigest()


def model_encoder(generation: GeneratorModel) -> LatentEncoder:
    """The encoder that a model was trained with (ae, vae ...), followed by the inverse of the prior's map.

    Raises:
        SparringError: the model has no encoder.
    """
    encoder, decoder = generation.encoder_decoder()

    def encode(x: Sample, y: Labels | None) -> tuple[Tensor, Tensor | None]:
        if encoder.labels.embedding_size and y is None:
            raise SparringError("images without classes", "the class of each", "give labels")
        with torch.no_grad():
            codes = encoder(x, y)
        return _invert_prior(generation, encoder, decoder, codes), None

    return encode


def _invert_prior(generation: GeneratorModel, encoder: Encoder, decoder: Decoder, codes: Tensor) -> Tensor:
    """Latents z (b, z) that minimise |prior(z) - codes|^2: in closed form for a normal prior, else by L-BFGS."""
    start = torch.zeros(len(codes), generation.latent, device=codes.device)
    start[:, : codes.shape[1]] = codes / encoder.posterior.prior_std
    if torch.equal(decoder.prior(start)[:, : codes.shape[1]], codes):
        return start
    z = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([z], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = (decoder.prior(z) - codes).square().sum()
        error.backward()
        return error

    with torch.enable_grad():
        optimizer.step(loss)
    return z.detach()
