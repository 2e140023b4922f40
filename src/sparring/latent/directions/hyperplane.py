"""Directions by labels: the normal of the plane between latents whose samples have an attribute and those whose have not."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.errors import SparringError
from sparring.games.generation import Generation
from sparring.latent.decoding import decode, latents
from sparring.latent.direction import Direction
from sparring.latent.judges import Judge, attribute

RIDGE, ITERATIONS = 1e-2, 200
HELD_OUT = 5  # one in so many


def by_labels(z: Tensor, labels: Tensor, name: str = "labels") -> Direction:
    """The normal of the plane that logistic regression lays between two groups of latents.

        min_{w, c}  mean_i log(1 + exp(-s_i (w . z_i + c))) + ridge |w|^2 / 2,   s_i = 1 with the attribute, else -1

    Deviation: logistic regression where the paper has a linear support vector machine; both groups weigh the same.

    References:
        Shen, Gu, Tang & Zhou 2020, "Interpreting the latent space of GANs for semantic face editing", arXiv 1907.10786, section 2.
            Two directions apart: `Direction.without`.

    Arguments:
        z: latents (n, z).
        labels: (n,) bool or 0 and 1, whether the sample has the attribute; ten of each at least.

    Returns:
        The direction, with `accuracy` on the fifth that was not fitted.
    """
    has = labels.bool()
    fewest = int(min(has.sum(), (~has).sum()))
    if len(has) != len(z) or fewest < 10:
        raise SparringError(
            f"{len(has)} labels of {len(z)} latents, {fewest} in the smaller group",
            "one each, and ten or more of both kinds",
            "take more samples, or a milder attribute",
        )
    held = torch.arange(len(z)) % HELD_OUT == 0
    weight, offset = _fitted(z[~held].double(), has[~held])
    right = ((z[held].double() @ weight + offset > 0) == has[held]).double()
    kinds = [right[has[held] == kind].mean() for kind in (True, False) if bool((has[held] == kind).any())]
    accuracy = float(torch.stack(kinds).mean()) if kinds else 0.0
    found = {"accuracy": accuracy, "samples": float(len(z))}
    return Direction(name=name, kind="labels", vector=weight.float(), found=found)


def by_judge(
    generation: Generation,
    judge: Judge,
    wanted: str | int,
    *,
    n: int = 4_000,
    extremes: float = 0.2,
    seed: int = 0,
) -> Direction:
    """The same, with labels by a judge: the samples with most of an attribute against those with least.

    Arguments:
        wanted: name or number of one of the judge's attributes.
        n: samples.
        extremes: share of them at either end, at most a half (the paper takes the extremes of its scores, too).
        seed: of the samples.
    """
    return by_judge_each(generation, judge, [wanted], n=n, extremes=extremes, seed=seed)[0]


def by_judge_each(
    generation: Generation,
    judge: Judge,
    wanted: Sequence[str | int],
    *,
    n: int = 4_000,
    extremes: float = 0.2,
    seed: int = 0,
) -> list[Direction]:
    """A direction for each of several attributes, from samples that are made and judged once; arguments as of `by_judge`."""
    if not 0 < extremes <= 0.5:
        raise SparringError(f"extremes {extremes}", "above 0, at most 0.5", "0.2 is usual")
    numbers = [attribute(judge, name) for name in wanted]
    z, y = latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    every = judged(generation, judge, z, y)
    found = []
    for number in numbers:
        seen = every[:, number]
        order, count = seen.argsort(), int(n * extremes)
        chosen = torch.cat([order[:count], order[-count:]]).sort().values
        middle = seen[order].double()[[count - 1, -count]].mean() if count else seen.double().mean()
        found.append(by_labels(z[chosen], seen[chosen] > middle, judge.names[number]))
    return found


@torch.no_grad()
def judged(generation: Generation, judge: Judge, z: Tensor, y: Tensor | None = None) -> Tensor:
    """What the judge sees in the samples of latents: float32 (n, attributes), on the CPU."""
    device = generation.shares.device
    parts = [
        judge(decode(generation, z[rows], None if y is None else y[rows]).to(device)).float().cpu()
        for rows in torch.arange(len(z)).split(256)
    ]
    return torch.cat(parts)


def _fitted(z: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
    weight = torch.zeros(z.shape[1], dtype=torch.float64, requires_grad=True)
    offset = torch.zeros((), dtype=torch.float64, requires_grad=True)
    target = has.double()
    balance = torch.where(has, 0.5 / target.mean(), 0.5 / (1 - target).mean())
    optimizer = torch.optim.LBFGS([weight, offset], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        cost = F.binary_cross_entropy_with_logits(z @ weight + offset, target, weight=balance)
        cost = cost + RIDGE * weight.square().sum() / 2
        cost.backward()
        return cost

    with torch.enable_grad():
        optimizer.step(loss)
    return weight.detach(), offset.detach()
