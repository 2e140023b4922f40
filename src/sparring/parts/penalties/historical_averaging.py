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
    """Squared distance of a player's weights to their running mean, as in fictitious play.

    It damps the oscillations of gradient descent in games.

        weight | theta - 1/t sum_{i=1..t} theta[i] |^2

    The game keeps the mean of past weights in a second module, `batch.history.average`.

    References:
        Salimans et al. 2016, "Improved techniques for training GANs", arXiv 1606.03498, sec. 3.3.

    Arguments:
        weight: strength; the paper prints none (its equation has 1, our default).
        every: steps between applications.

    Shape: the same value for each sample (b,), with the weight included, without the factor `every`.

    Raises:
        ConfigError: the game keeps no mean of past weights.
    """

    weight: Schedule = 1.0
    every: int = 1
    needs_input_grad: ClassVar[bool] = False
    needs_weight_average: ClassVar[bool] = True
    logit_decay: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)

    def __call__(self, batch: AdversarialBatch) -> PerSample:
        history = batch.history
        if history is None or history.average is None:
            got = "historical averaging in a game that keeps no mean of past weights"
            raise ConfigError(got, "the game adversarial", "leave this penalty out")
        pairs = zip(history.player.parameters(), history.average.parameters(), strict=True)
        squares = [(now.float() - past.detach().float()).square().sum() for now, past in pairs]
        return (value_at(self.weight, batch.images) * torch.stack(squares).sum()).expand(len(batch.x))
