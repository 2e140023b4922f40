"""Encoders for inversion: a run's own encoder, or a small one that is fitted to a generator's samples in
seconds.

References:
    Donahue, Kraehenbuehl & Darrell 2017, arXiv 1605.09782, section 4.2 (the latent regressor, fitted to a generator's own samples).
    Zhu, Kraehenbuehl, Shechtman & Efros 2016, arXiv 1609.03552, section 3.1 (a network's guess, then optimised).
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.core import rng, tensor_file
from sparring.core.errors import SparringError
from sparring.core.shapes import Labels, Sample
from sparring.inference.latent.decoding import forward
from sparring.models.autoencoder import Decoder, Encoder
from sparring.models.generator import GeneratorModel
from sparring.parts.networks.dcgan import DCGANDiscriminator
from sparring.parts.networks.mlp import MLPDiscriminator

LatentEncoder = Callable[
    [Sample, "Labels | None"], tuple[Tensor, Tensor | None]
]  # latents (b, z), logits of classes (b, k)
StepCallback = Callable[[int, int], bool]  # told (done, total); true ends the work there


class FittedEncoder(nn.Module):
    """From samples to the latents (and the logits of the classes) that a generator may have made them of.

    Arguments:
        generation: whose samples they are.
        width: channels of its first layer.

    Shape: (b, *sample) to (b, z) and (b, classes) or None.
    """

    def __init__(self, generation: GeneratorModel, width: int = 32) -> None:
        super().__init__()
        spec = generation.spec
        plain = DCGANDiscriminator(width=width, max_width=8 * width, norm="none")
        body: Any = (plain if spec.is_image else MLPDiscriminator()).build(spec)
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
    """Fit a small encoder to a generator's own samples.

        min_E  |E(G(z, y)) - z|^2 / z  +  |G(E(G(z, y))) - G(z, y)|^2  -  log softmax(E_y(G(z, y)))_y

    Deviation: the second term, which asks for the right sample where the right latent can't be known.

    Arguments:
        steps, batch: samples seen in all. rate: of Adam, falling to 0.
        watch: told of each step; true ends the work there.
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
    guess, logits = encoder(x)
    loss = (guess - z).square().mean() + (forward(generation, guess, y) - x).square().mean()
    return loss if logits is None or y is None else loss + F.cross_entropy(logits, y)


def _initialise(encoder: FittedEncoder, seed: int) -> FittedEncoder:
    """With weights that depend on the seed alone (He et al. 2015, arXiv 1502.01852, Eq. 10), and a head that begins small."""
    for number, (name, parameter) in enumerate(encoder.named_parameters()):
        inputs = parameter[0].numel() if parameter.ndim > 1 else 0
        draw = torch.randn(parameter.shape, generator=rng.make_generator(seed, "encoder weights", number))
        gain = 0.3 if name.startswith("head.") else 2.0
        parameter.data.copy_(draw * (gain / inputs) ** 0.5 if inputs else torch.zeros_like(draw))
    return encoder


def encoder_to_bytes(encoder: FittedEncoder, metadata: Mapping[str, str] | None = None) -> bytes:
    """A fitted encoder as a safetensors file."""
    return tensor_file.to_bytes(encoder.state_dict(), metadata)


def encoder_from_bytes(generation: GeneratorModel, data: bytes) -> FittedEncoder:
    """A fitted encoder from such a file, which must be one of this generator's kind.

    Raises:
        CorruptFileError: it is something else.
    """
    with torch.device("meta"):
        encoder = FittedEncoder(generation)
    encoder.load_state_dict(tensor_file.from_bytes(data, encoder.state_dict()), assign=True)
    return encoder.to(generation.shares.device).eval().requires_grad_(False)


def model_encoder(generation: GeneratorModel) -> LatentEncoder:
    """The encoder that a run was trained with (ae, vae ...): latents whose codes are the encoder's.

    Raises:
        SparringError: there is none.
    """
    encoder, decoder = generation.encoder_decoder()

    def guess(x: Sample, y: Labels | None) -> tuple[Tensor, Tensor | None]:
        if encoder.labels.embedding_size and y is None:
            raise SparringError("images without their class", "the class of each", "give labels")
        with torch.no_grad():
            codes = encoder(x, y)
        return _invert_prior(generation, encoder, decoder, codes), None

    return guess


def _invert_prior(generation: GeneratorModel, encoder: Encoder, decoder: Decoder, codes: Tensor) -> Tensor:
    """Latents z (b, z) with prior(z) = codes, as nearly as there are any."""
    start = torch.zeros(len(codes), generation.latent, device=codes.device)
    start[:, : codes.shape[1]] = codes / encoder.posterior.prior_std
    if torch.equal(decoder.prior(start)[:, : codes.shape[1]], codes):
        return start
    z = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([z], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        gap = (decoder.prior(z) - codes).square().sum()
        gap.backward()
        return gap

    with torch.enable_grad():
        optimizer.step(loss)
    return z.detach()
