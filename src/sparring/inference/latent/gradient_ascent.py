"""Directions by gradient ascent: latents moved to where a scorer sees more of an attribute."""

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
    """Controllable generation: each latent moved uphill by steps of one length, to where the judge sees more of an attribute.

        z <- z + rate g / |g|,   g = d a(G(z)) / dz

    References:
        Nguyen, Dosovitskiy, Yosinski, Brox & Clune 2016, arXiv 1605.09304, section 2 (activation maximisation in the latent
            space). Deviation: all steps are equally long, and stay wherever they lead, without a prior.

    Arguments:
        wanted: name or number of one of the judge's attributes.
        z: latents (n, z). y: classes (n,), or None.
        rate: length of a step, where a latent is about sqrt(z) long.

    Raises:
        SparringError: the generator has no gradients.
    """
    number, device = attribute_index(scorer, attribute), generation.shares.device
    parts = []
    for rows in torch.arange(len(z)).split(BATCH):
        here = z[rows].to(device)
        labels = None if y is None else y[rows].to(device)
        for _ in range(steps):
            slope = _attribute_gradient(generation, scorer, number, here, labels)
            here = here + step_size * slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
        parts.append(here.cpu())
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
    """The mean way uphill of n samples.

    Arguments:
        wanted: name or number of one of the judge's attributes.
        n: samples. steps: of `ascend`; 1 takes the mean gradient alone.
        seed: of the samples.

    Returns:
        The direction, with `agreement`: the mean cosine of a sample's own way with it.
    """
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    ways = ascend(generation, scorer, attribute, z, y, steps=steps) - z
    mean = ways.mean(0)
    cosines = ways @ mean / (ways.norm(dim=1) * mean.norm()).clamp_min(1e-12)
    return Direction(
        name=scorer.names[attribute_index(scorer, attribute)],
        kind="classifier",
        vector=mean,
        statistics={"agreement": float(cosines.mean()), "samples": float(n)},
    )


def _attribute_gradient(
    generation: GeneratorModel, scorer: AttributeScorer, number: int, z: Tensor, y: Tensor | None
) -> Tensor:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        seen = scorer(forward(generation, z, y))[:, number]
        slope = torch.autograd.grad(seen.sum(), z, allow_unused=True)[0] if seen.requires_grad else None
    if slope is None or not bool(slope.abs().sum() > 0):
        raise SparringError(
            "samples that do not change smoothly with their latents",
            "a generator with gradients",
            "find the direction by labels instead",
        )
    return slope
