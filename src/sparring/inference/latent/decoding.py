"""Latents to samples in batches of one fixed size, blends of classes, and activations of the generator's
layers.

References:
    Brock, Donahue & Simonyan 2019, arXiv 1809.11096, section 4.2 and appendix E (interpolation between classes).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from sparring.core import rng
from sparring.core.errors import SparringError
from sparring.core.shapes import Sample
from sparring.models.generator import SAMPLE_BLOCK, GeneratorModel
from sparring.parts.conditioning import LabelEmbedding

EMBEDDING_WEIGHT = "embed.weight"
BATCH = 64  # latents per forward pass of `activations`


def sample_latents(generation: GeneratorModel, seed: int, indices: range, truncation: float = 1.0) -> Tensor:
    """The latents (n, z) from which `GeneratorModel.sample` generates samples.

    Arguments:
        generation: the generator.
        seed: random seed of the samples.
        indices: of the samples under that seed.
        truncation: factor on the latents; below 1 samples are more typical and less varied.
    """
    return rng.sample_latents(seed, indices, generation.latent) * truncation


@torch.no_grad()
def decode(generation: GeneratorModel, z: Tensor, y: Tensor | None = None) -> Sample:
    """Samples float32 (n, *sample) of latents, on the CPU. Each depends on its own latent and class alone.

    Arguments:
        z: latents (n, z).
        y: classes (n,) int64; or weights of a blend of classes (n, classes) float (see `forward_blend`); None without labels.

    Raises:
        SparringError: latents of another size, classes missing or superfluous, or a generator that can't blend classes.
    """
    z, y = check_latents(generation, z, y)
    device = generation.shares.device
    samples = []
    for start in range(0, len(z), SAMPLE_BLOCK):
        rows = torch.arange(start, start + SAMPLE_BLOCK).clamp_max(len(z) - 1)
        out = forward(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        samples.append(out[: len(z) - start].float().cpu())
    return torch.cat(samples) if samples else torch.empty(0, *generation.spec.shape)


def forward(generation: GeneratorModel, z: Tensor, y: Tensor | None = None) -> Sample:
    """Samples (b, *sample) of latents in one batch, on their device and with gradients; arguments as of `decode`."""
    if y is not None and y.is_floating_point():
        return forward_blend(generation, z, y)
    samples: Tensor = generation(z, y)
    return samples


def forward_blend(generation: GeneratorModel, z: Tensor, class_weights: Tensor) -> Sample:
    """Samples (b, *sample) of blends of classes: the embedding of a blend is the weighted sum of unit embeddings,

        V = sum_k weights_k V_k / |V_k|

    so that a weight of 1 for one class gives that class.

    Arguments:
        z: latents (b, z).
        class_weights: (b, classes).

    Raises:
        SparringError: the generator has no embeddings of classes.
    """
    tables = _class_embeddings(generation)
    if not tables:
        raise SparringError(
            "a blend of classes from a generator without class embeddings",
            "a generator that was trained with labels (auto on a labelled set, cgan, acgan, cvae ...)",
            "train one of these, or choose whole classes",
        )
    unit = [F.normalize(table.detach(), dim=1).to(class_weights.device) for table in tables.values()]
    blends = {name: class_weights.to(table.dtype) @ table for name, table in zip(tables, unit, strict=True)}
    samples: Tensor = functional_call(generation, blends, (z, torch.arange(len(z), device=z.device)))
    return samples


def can_blend(generation: GeneratorModel) -> bool:
    """Whether the generator has embeddings of classes, which can be blended."""
    return bool(_class_embeddings(generation))


def _class_embeddings(generation: GeneratorModel) -> dict[str, Tensor]:
    """The embedding tables (classes, size) of a generator by the names of their parameters."""
    parts = generation.generator.named_modules(prefix="generator")
    inside = [
        (name, part) for name, part in parts if isinstance(part, LabelEmbedding) and part.embedding_size
    ]
    parameters: dict[str, Any] = dict(generation.named_parameters())
    return {f"{name}.{EMBEDDING_WEIGHT}": parameters[f"{name}.{EMBEDDING_WEIGHT}"] for name, _ in inside}


def check_latents(generation: GeneratorModel, z: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return latents and classes that fit the generator; superfluous dimensions are errors.

    Raises:
        SparringError: they do not fit.
    """
    if z.ndim != 2 or z.shape[1] != generation.latent or not bool(z.isfinite().all()):
        raise SparringError(
            f"latents {tuple(z.shape)}, or not finite",
            f"finite numbers (n, {generation.latent})",
            "fix the latents",
        )
    classes = generation.spec.num_classes
    if y is None and classes:
        raise SparringError("no classes", f"one of 0 to {classes - 1} for each latent", "give labels")
    if y is None:
        return z, None
    blend = y.is_floating_point()
    shape = (len(z), classes) if blend else (len(z),)
    fits = y.shape == shape and (blend or not len(y) or (int(y.min()) >= 0 and int(y.max()) < classes))
    if not classes or not fits:
        expected = f"(n,) of 0 to {classes - 1}, or weights (n, {classes})" if classes else "none"
        raise SparringError(f"classes {tuple(y.shape)} for {len(z)} latents", expected, "fix the labels")
    return z, y


def to_class_weights(y: Tensor, classes: int) -> Tensor:
    """Classes (n,) as one-hot weights (n, classes); weights are returned unchanged."""
    return y if y.is_floating_point() else F.one_hot(y, classes).float()


@torch.no_grad()
def activations(generation: GeneratorModel, z: Tensor, y: Tensor | None, layer: int = 0) -> Tensor:
    """The output of one layer of the generator: float32 (n, values), on the CPU.

    Arguments:
        z: latents (n, z).
        y: classes (n,), or None.
        layer: its index among the layers with weights, in the order in which they run; at most the last but one.

    Raises:
        SparringError: the generator has no layers with weights.
    """
    device, parts = generation.shares.device, []
    for rows in torch.arange(len(z)).split(BATCH):
        outputs = _layer_outputs(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        parts.append(outputs[min(layer, max(0, len(outputs) - 2))])
    return torch.cat(parts)


def _layer_outputs(generation: GeneratorModel, z: Tensor, y: Tensor | None) -> list[Tensor]:
    outputs: list[Tensor] = []

    def append_output(module: nn.Module, inputs: Any, output: Tensor) -> None:
        outputs.append(output.float().flatten(1).cpu().clone())  # the next layer may work in place

    handles = [layer.register_forward_hook(append_output) for layer in _weight_layers(generation)]
    try:
        forward(generation, z, y)
    finally:
        for handle in handles:
            handle.remove()
    if not outputs:
        raise SparringError(
            "a generator without layers of weights", "a neural network", "train one, such as dcgan"
        )
    return outputs


def _weight_layers(generation: GeneratorModel) -> list[nn.Module]:
    """The innermost modules with a weight matrix of their own, except embeddings."""
    return [
        module
        for module in generation.generator.modules()
        if not isinstance(module, nn.Embedding)
        and not any(True for _ in module.children())
        and any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
    ]
