"""Directions by gradient ascent on an attribute."""

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.inference.latent.attributes import AttributeScorer, attribute_index
from sparring.inference.latent.decoding import forward, sample_latents
from sparring.inference.latent.direction import Direction
from sparring.models.generator import GeneratorModel

BATCH = 64


def ascend(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attribute: str | int,
    z: Tensor,
    y: Tensor | None = None,
    *,
    steps: int = 20,
    step_size: float = 0.3,
) -> Tensor:
    """Move latents up the gradient of an attribute, in steps of equal length.

        z <- z + step_size g / |g|,   g = d a(G(z)) / dz

    References:
        Nguyen, Dosovitskiy, Yosinski, Brox & Clune 2016, arXiv 1605.09304, section 2 (activation maximisation in the latent
            space). Deviation: all steps have one length, and there is no prior term.

    Arguments:
        scorer: measures the attributes.
        attribute: name or index of one of them.
        z: latents (n, z).
        y: classes (n,), or None.
        steps: number of steps.
        step_size: length of a step; a typical latent has the length sqrt(z).

    Returns:
        The moved latents (n, z).

    Raises:
        SparringError: the attribute has no gradient with respect to the latents.
    """
    index, device = attribute_index(scorer, attribute), generation.shares.device
    parts = []
    for rows in torch.arange(len(z)).split(BATCH):
        moved = z[rows].to(device)
        labels = None if y is None else y[rows].to(device)
        for _ in range(steps):
            gradient = _attribute_gradient(generation, scorer, index, moved, labels)
            moved = moved + step_size * gradient / gradient.norm(dim=1, keepdim=True).clamp_min(1e-12)
        parts.append(moved.cpu())
    return torch.cat(parts)


def direction_from_gradient(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attribute: str | int,
    *,
    n: int = 256,
    steps: int = 10,
    seed: int = 0,
) -> Direction:
    """The mean displacement of n samples under `ascend`.

    Arguments:
        scorer: measures the attributes.
        attribute: name or index of one of them.
        n: number of samples.
        steps: of `ascend`; 1 gives the mean of the normalised gradients.
        seed: of the samples.

    Returns:
        The direction, with `agreement` in its statistics: the mean cosine between it and a sample's displacement.
    """
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    displacements = ascend(generation, scorer, attribute, z, y, steps=steps) - z
    mean = displacements.mean(0)
    cosines = displacements @ mean / (displacements.norm(dim=1) * mean.norm()).clamp_min(1e-12)
    return Direction(
        name=scorer.names[attribute_index(scorer, attribute)],
        kind="classifier",
        vector=mean,
        statistics={"agreement": float(cosines.mean()), "samples": float(n)},
    )


def _attribute_gradient(
    generation: GeneratorModel, scorer: AttributeScorer, index: int, z: Tensor, y: Tensor | None
) -> Tensor:
    """The gradient (n, z) of an attribute with respect to the latents."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        values = scorer(forward(generation, z, y))[:, index]
        gradient = (
            torch.autograd.grad(values.sum(), z, allow_unused=True)[0] if values.requires_grad else None
        )
    if gradient is None or not bool(gradient.abs().sum() > 0):
        raise SparringError(
            "an attribute without a gradient with respect to the latents",
            "a differentiable generator",
            "find the direction by labels instead",
        )
    return gradient
