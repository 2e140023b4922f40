"""Directions by a classifier's slope: uphill in the latent space, where an attribute grows."""

import torch
from torch import Tensor

from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import forward, latents
from sparring.latent.direction import Direction
from sparring.latent.judges import Judge, attribute

AT_ONCE = 64


def ascend(
    generation: Generation,
    judge: Judge,
    wanted: str | int,
    z: Tensor,
    y: Tensor | None = None,
    *,
    steps: int = 20,
    rate: float = 0.3,
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
        SparringError: the generator has no slopes.
    """
    number, device = attribute(judge, wanted), generation.shares.device
    parts = []
    for rows in torch.arange(len(z)).split(AT_ONCE):
        here = z[rows].to(device)
        labels = None if y is None else y[rows].to(device)
        for _ in range(steps):
            slope = _slope(generation, judge, number, here, labels)
            here = here + rate * slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
        parts.append(here.cpu())
    return torch.cat(parts)


def by_classifier(
    generation: Generation, judge: Judge, wanted: str | int, *, n: int = 256, steps: int = 10, seed: int = 0
) -> Direction:
    """The mean way uphill of n samples.

    Arguments:
        wanted: name or number of one of the judge's attributes.
        n: samples. steps: of `ascend`; 1 takes the mean slope alone.
        seed: of the samples.

    Returns:
        The direction, with `agreement`: the mean cosine of a sample's own way with it.
    """
    z, y = latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    ways = ascend(generation, judge, wanted, z, y, steps=steps) - z
    mean = ways.mean(0)
    cosines = ways @ mean / (ways.norm(dim=1) * mean.norm()).clamp_min(1e-12)
    return Direction(
        name=judge.names[attribute(judge, wanted)],
        kind="classifier",
        vector=mean,
        found={"agreement": float(cosines.mean()), "samples": float(n)},
    )


def _slope(generation: Generation, judge: Judge, number: int, z: Tensor, y: Tensor | None) -> Tensor:
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        seen = judge(forward(generation, z, y))[:, number]
        slope = torch.autograd.grad(seen.sum(), z, allow_unused=True)[0] if seen.requires_grad else None
    if slope is None or not bool(slope.abs().sum() > 0):
        raise SparringError(
            "samples that do not change smoothly with their latents",
            "a generator with slopes",
            "find the direction by labels instead",
        )
    return slope
