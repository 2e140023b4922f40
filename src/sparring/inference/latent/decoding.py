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


def sample_latents(generation: GeneratorModel, seed: int, indices: range, truncation: float = 1.0) -> Tensor:
    """The latents (n, z) of samples: those that `GeneratorModel.sample` makes them of.

    Arguments:
        truncation: factor on them; below 1 more typical and less varied samples.
    """
    return rng.sample_latents(seed, indices, generation.latent) * truncation


@torch.no_grad()
def decode(generation: GeneratorModel, z: Tensor, y: Tensor | None = None) -> Sample:
    """Samples float32 (n, *sample) of latents, on the CPU; each depends on its latent and class alone.

    Arguments:
        z: latents (n, z).
        y: classes (n,) int64; or blends of them (n, classes), float, the shares of each (see `forward_blend`); None without labels.

    Raises:
        SparringError: latents of another size, labels missing or not wanted, or a generator that can't blend.
    """
    z, y = check_latents(generation, z, y)
    device = generation.shares.device
    made = []
    for start in range(0, len(z), SAMPLE_BLOCK):
        rows = torch.arange(start, start + SAMPLE_BLOCK).clamp_max(len(z) - 1)
        out = forward(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        made.append(out[: len(z) - start].float().cpu())
    return torch.cat(made) if made else torch.empty(0, *generation.spec.shape)


def forward(generation: GeneratorModel, z: Tensor, y: Tensor | None = None) -> Sample:
    """What `decode` does, in one piece, on the device, and with gradients."""
    made: Tensor = (
        forward_blend(generation, z, y) if y is not None and y.is_floating_point() else generation(z, y)
    )
    return made


def forward_blend(generation: GeneratorModel, z: Tensor, shares: Tensor) -> Sample:
    """Samples (b, *sample) of blends of classes.

        V = sum_k shares_k V_k / |V_k|,  then as for the vector of a class

    A blend of one class with a share of 1 is that class.

    Arguments:
        shares: (b, classes), of each class.

    Raises:
        SparringError: the generator has no learned vectors of classes.
    """
    tables = _require_embeddings(generation)
    each = [F.normalize(table.detach(), dim=1).to(shares.device) for table in tables.values()]
    mixed = {name: shares.to(table.dtype) @ table for name, table in zip(tables, each, strict=True)}
    made: Tensor = functional_call(generation, mixed, (z, torch.arange(len(z), device=z.device)))
    return made


def can_blend(generation: GeneratorModel) -> bool:
    """Whether there are classes, and vectors of them that can be mixed."""
    return bool(_class_embeddings(generation))


def _require_embeddings(generation: GeneratorModel) -> dict[str, Tensor]:
    found = _class_embeddings(generation)
    if not found:
        raise SparringError(
            "a blend of classes from a generator that keeps no vectors of classes",
            "a generator that was trained with labels (auto on a labelled set, cgan, acgan, cvae ...)",
            "train one of these, or choose whole classes",
        )
    return found


def _class_embeddings(generation: GeneratorModel) -> dict[str, Tensor]:
    parts = generation.generator.named_modules(prefix="generator")
    inside = [
        (name, part) for name, part in parts if isinstance(part, LabelEmbedding) and part.embedding_size
    ]
    parameters: dict[str, Any] = dict(generation.named_parameters())
    return {f"{name}.{EMBEDDING_WEIGHT}": parameters[f"{name}.{EMBEDDING_WEIGHT}"] for name, _ in inside}


def check_latents(generation: GeneratorModel, z: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Latents and classes, if they are fit for this generator."""
    if z.ndim != 2 or z.shape[1] != generation.latent or not bool(z.isfinite().all()):
        raise SparringError(
            f"latents {tuple(z.shape)}, or not finite", f"finite ones, (n, {generation.latent})", "fix them"
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
        expected = f"(n,) of 0 to {classes - 1}, or shares (n, {classes})" if classes else "none"
        raise SparringError(f"classes {tuple(y.shape)} for {len(z)} latents", expected, "fix the labels")
    return z, y


def to_class_weights(y: Tensor, classes: int) -> Tensor:
    """Classes (n,) as blends (n, classes); blends stay as they are."""
    return y if y.is_floating_point() else F.one_hot(y, classes).float()


BATCH = 64


@torch.no_grad()
def activations(generation: GeneratorModel, z: Tensor, y: Tensor | None, layer: int = 0) -> Tensor:
    """The output of a layer with weights, in the order in which they are played: float32 (n, values), on the CPU.

    Arguments:
        z: latents (n, z).
        y: classes (n,), or None.
        layer: its number, from 0; beyond the last means the last but one, before the samples.

    Raises:
        SparringError: the generator has no layers.
    """
    device, parts = generation.shares.device, []
    for rows in torch.arange(len(z)).split(BATCH):
        seen = _layer_outputs(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        parts.append(seen[min(layer, max(0, len(seen) - 2))])
    return torch.cat(parts)


def _layer_outputs(generation: GeneratorModel, z: Tensor, y: Tensor | None) -> list[Tensor]:
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: Any, made: Tensor) -> None:
        seen.append(made.float().flatten(1).cpu().clone())  # what follows may work in place

    handles = [layer.register_forward_hook(keep) for layer in _weight_layers(generation)]
    try:
        forward(generation, z, y)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise SparringError(
            "a generator without layers of weights", "a network", "train a generator that is one"
        )
    return seen


def _weight_layers(generation: GeneratorModel) -> list[nn.Module]:
    """Those with a matrix of weights of their own and nothing inside, but for vectors of classes."""
    return [
        module
        for module in generation.generator.modules()
        if not isinstance(module, nn.Embedding)
        and not any(True for _ in module.children())
        and any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
    ]
