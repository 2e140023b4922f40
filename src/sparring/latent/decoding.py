"""From latents to samples, in blocks of one size; and blends of classes for generators that take one class a sample.

References:
    Brock, Donahue & Simonyan 2019, arXiv 1809.11096, section 4.2 and appendix E (walks from class to class).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from sparring import keyed
from sparring.conditioning import LabelEmbedding
from sparring.errors import SparringError
from sparring.games.generation import BLOCK, Generation
from sparring.shapes import Sample

TABLE = "embed.weight"


def latents(generation: Generation, seed: int, indices: range, truncation: float = 1.0) -> Tensor:
    """The latents (n, z) of samples: those that `Generation.sample` makes them of.

    Arguments:
        truncation: factor on them; below 1 more typical and less varied samples.
    """
    return keyed.latents(seed, indices, generation.latent) * truncation


@torch.no_grad()
def decode(generation: Generation, z: Tensor, y: Tensor | None = None) -> Sample:
    """Samples float32 (n, *sample) of latents, on the CPU; each depends on its latent and class alone.

    Arguments:
        z: latents (n, z).
        y: classes (n,) int64; or blends of them (n, classes), float, the shares of each (see `blended`); None without labels.

    Raises:
        SparringError: latents of another size, labels missing or not wanted, or a generator that can't blend.
    """
    z, y = checked(generation, z, y)
    device = generation.shares.device
    made = []
    for start in range(0, len(z), BLOCK):
        rows = torch.arange(start, start + BLOCK).clamp_max(len(z) - 1)
        out = forward(generation, z[rows].to(device), None if y is None else y[rows].to(device))
        made.append(out[: len(z) - start].float().cpu())
    return torch.cat(made) if made else torch.empty(0, *generation.spec.shape)


def forward(generation: Generation, z: Tensor, y: Tensor | None = None) -> Sample:
    """What `decode` does, in one piece, on the device, and with slopes."""
    made: Tensor = blended(generation, z, y) if y is not None and y.is_floating_point() else generation(z, y)
    return made


def blended(generation: Generation, z: Tensor, shares: Tensor) -> Sample:
    """Samples (b, *sample) of blends of classes.

        V = sum_k shares_k V_k / |V_k|,  then as for the vector of a class

    A blend of one class with a share of 1 is that class.

    Arguments:
        shares: (b, classes), of each class.

    Raises:
        SparringError: the generator has no learned vectors of classes.
    """
    tables = _tables(generation)
    each = [F.normalize(table.detach(), dim=1).to(shares.device) for table in tables.values()]
    mixed = {name: shares.to(table.dtype) @ table for name, table in zip(tables, each, strict=True)}
    made: Tensor = functional_call(generation, mixed, (z, torch.arange(len(z), device=z.device)))
    return made


def can_blend(generation: Generation) -> bool:
    """Whether there are classes, and vectors of them that can be mixed."""
    return bool(_found(generation))


def _tables(generation: Generation) -> dict[str, Tensor]:
    found = _found(generation)
    if not found:
        raise SparringError(
            "a blend of classes from a generator that keeps no vectors of classes",
            "a generator that was trained with labels (auto on a labelled set, cgan, acgan, cvae ...)",
            "train one of these, or choose whole classes",
        )
    return found


def _found(generation: Generation) -> dict[str, Tensor]:
    parts = generation.generator.named_modules(prefix="generator")
    inside = [(name, part) for name, part in parts if isinstance(part, LabelEmbedding) and part.extra]
    parameters: dict[str, Any] = dict(generation.named_parameters())
    return {f"{name}.{TABLE}": parameters[f"{name}.{TABLE}"] for name, _ in inside}


def checked(generation: Generation, z: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Latents and classes, if they are fit for this generator."""
    if z.ndim != 2 or z.shape[1] != generation.latent or not bool(z.isfinite().all()):
        raise SparringError(
            f"latents {tuple(z.shape)}, or not finite", f"finite ones, (n, {generation.latent})", "mend them"
        )
    classes = generation.spec.classes
    if y is None and classes:
        raise SparringError("no classes", f"one of 0 to {classes - 1} for each latent", "give labels")
    if y is None:
        return z, None
    blend = y.is_floating_point()
    shape = (len(z), classes) if blend else (len(z),)
    fits = y.shape == shape and (blend or not len(y) or (int(y.min()) >= 0 and int(y.max()) < classes))
    if not classes or not fits:
        expected = f"(n,) of 0 to {classes - 1}, or shares (n, {classes})" if classes else "none"
        raise SparringError(f"classes {tuple(y.shape)} for {len(z)} latents", expected, "mend the labels")
    return z, y


def shares_of(y: Tensor, classes: int) -> Tensor:
    """Classes (n,) as blends (n, classes); blends stay as they are."""
    return y if y.is_floating_point() else F.one_hot(y, classes).float()
