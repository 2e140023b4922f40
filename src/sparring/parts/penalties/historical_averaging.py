"""Historical averaging: a player's weights are pulled towards their running mean."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.schedule import Schedule, value_at
from sparring.core.shapes import PerSample
from sparring.parts.penalties.r1_r2 import check_penalty


@dataclass(frozen=True, kw_only=True)
class HistoricalAveraging:
    """Fictitious play by the weights: it damps the cycles of a game, where gradient descent alone orbits.

        weight | theta - 1/t sum_{i=1..t} theta[i] |^2

    The game keeps the mean of the past as a second module, `batch.memory`, whose parameters are in the
    player's order.

    References:
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.3.

    Arguments:
        weight: strength; the paper prints none (its equation has 1, our default).
        every: steps between applications.

    Shape: one value for the batch, given to each sample (b,), with the weight in it, without the factor
    `every`.
    """

    weight: Schedule = 1.0
    every: int = 1
    needs_input_grad: ClassVar[bool] = False
    needs_weight_average: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        if batch.player is None or batch.memory is None:
            raise ConfigError(
                "historical averaging in a game without memory",
                "a game that keeps one",
                "leave this penalty out",
            )
        pairs = zip(batch.player.parameters(), batch.memory.parameters(), strict=True)
        squares = [(now.float() - past.detach().float()).square().sum() for now, past in pairs]
        return (value_at(self.weight, batch.images) * torch.stack(squares).sum()).expand(
            batch.batch.x.shape[0]
        )
