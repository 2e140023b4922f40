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
HELD_OUT_EVERY = 5  # one in five latents measures the accuracy


def direction_from_labels(z: Tensor, labels: Tensor, name: str = "labels") -> Direction:
    """The normal of the hyperplane by which logistic regression separates two groups of latents.

        min_{w, c}  mean_i log(1 + exp(-s_i (w . z_i + c))) + ridge |w|^2 / 2,   s_i = 1 with the attribute, else -1

    Deviation: logistic regression where the paper uses a linear support vector machine; both groups have the same weight.

    References:
        Shen, Gu, Tang & Zhou 2020, "Interpreting the latent space of GANs for semantic face editing", arXiv 1907.10786, section 2.
            For conditional manipulation see `Direction.without`.

    Arguments:
        z: latents (n, z).
        labels: (n,) bool or 0 and 1, whether the sample has the attribute; at least ten of each.
        name: of the direction.

    Returns:
        The direction, with `accuracy` on a held-out fifth of the latents in its statistics.

    Raises:
        SparringError: too few labels.
    """
    has = labels.bool()
    smaller = int(min(has.sum(), (~has).sum()))
    if len(has) != len(z) or smaller < 10:
        raise SparringError(
            f"{len(has)} labels of {len(z)} latents, {smaller} in the smaller group",
            "one each, and ten or more in both groups",
            "use more samples, or a more common attribute",
        )
    held_out = torch.arange(len(z)) % HELD_OUT_EVERY == 0
    weight, offset = _fit_logistic_regression(z[~held_out].double(), has[~held_out])
    true = has[held_out]
    correct = ((z[held_out].double() @ weight + offset > 0) == true).double()
    accuracies = [correct[true == group].mean() for group in (True, False) if bool((true == group).any())]
    accuracy = float(torch.stack(accuracies).mean()) if accuracies else 0.0
    statistics = {"accuracy": accuracy, "samples": float(len(z))}
    return Direction(name=name, kind="labels", vector=weight.float(), statistics=statistics)


def direction_from_scores(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attribute: str | int,
    *,
    n: int = 4_000,
    extremes: float = 0.2,
    seed: int = 0,
) -> Direction:
    """`direction_from_labels` with labels by a scorer: the samples with the highest scores against those with the lowest.

    Arguments:
        generation: the generator.
        scorer: measures the attributes.
        attribute: name or index of one of them.
        n: number of samples.
        extremes: fraction of the samples at either end, at most 0.5 (the paper uses the extremes of its scores, too).
        seed: of the samples.
    """
    return directions_from_scores(generation, scorer, [attribute], n=n, extremes=extremes, seed=seed)[0]


def directions_from_scores(
    generation: GeneratorModel,
    scorer: AttributeScorer,
    attributes: Sequence[str | int],
    *,
    n: int = 4_000,
    extremes: float = 0.2,
    seed: int = 0,
) -> list[Direction]:
    """A direction for each of several attributes, from one set of samples; arguments as of `direction_from_scores`."""
    if not 0 < extremes <= 0.5:
        raise SparringError(f"extremes {extremes}", "above 0, at most 0.5", "0.2 is usual")
    indices = [attribute_index(scorer, name) for name in attributes]
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    table = score_latents(generation, scorer, z, y)
    directions = []
    for index in indices:
        scores = table[:, index]
        order, count = scores.argsort(), int(n * extremes)
        rows = torch.cat([order[:count], order[-count:]]).sort().values
        threshold = scores[order].double()[[count - 1, -count]].mean() if count else scores.double().mean()
        directions.append(direction_from_labels(z[rows], scores[rows] > threshold, scorer.names[index]))
    return directions


def _fit_logistic_regression(z: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (z,) and offset of a ridge-regularised logistic regression with balanced groups, by L-BFGS."""
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
