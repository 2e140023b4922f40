"""InterFaceGAN: the normal of the hyperplane between latents whose samples have an attribute and those whose
samples do not.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.inference.latent.attributes import AttributeScorer, attribute_index, score_latents
from sparring.inference.latent.decoding import sample_latents
from sparring.inference.latent.direction import Direction
from sparring.models.generator import GeneratorModel

RIDGE, ITERATIONS = 1e-2, 200
HELD_OUT_EVERY = 5  # one in so many


def direction_from_labels(z: Tensor, labels: Tensor, name: str = "labels") -> Direction:
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
    held = torch.arange(len(z)) % HELD_OUT_EVERY == 0
    weight, offset = _fit_logistic_regression(z[~held].double(), has[~held])
    right = ((z[held].double() @ weight + offset > 0) == has[held]).double()
    kinds = [right[has[held] == kind].mean() for kind in (True, False) if bool((has[held] == kind).any())]
    accuracy = float(torch.stack(kinds).mean()) if kinds else 0.0
    found = {"accuracy": accuracy, "samples": float(len(z))}
    return Direction(name=name, kind="labels", vector=weight.float(), statistics=found)


def direction_from_scores(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attribute: str | int,
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
    return directions_from_scores(generation, scorer, [attribute], n=n, extremes=extremes, seed=seed)[0]


def directions_from_scores(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attribute: Sequence[str | int],
    *,
    n: int = 4_000,
    extremes: float = 0.2,
    seed: int = 0,
) -> list[Direction]:
    """A direction for each of several attributes, from samples that are made and judged once; arguments as of `direction_from_scores`."""
    if not 0 < extremes <= 0.5:
        raise SparringError(f"extremes {extremes}", "above 0, at most 0.5", "0.2 is usual")
    numbers = [attribute_index(scorer, name) for name in attribute]
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    every = score_latents(generation, scorer, z, y)
    found = []
    for number in numbers:
        seen = every[:, number]
        order, count = seen.argsort(), int(n * extremes)
        chosen = torch.cat([order[:count], order[-count:]]).sort().values
        middle = seen[order].double()[[count - 1, -count]].mean() if count else seen.double().mean()
        found.append(direction_from_labels(z[chosen], seen[chosen] > middle, scorer.names[number]))
    return found


def _fit_logistic_regression(z: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
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
