"""Historical averaging: a player's weights are pulled towards their own past."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from sparring.errors import ConfigError
from sparring.penalties.zero_centred import check_penalty
from sparring.play import Play
from sparring.schedule import Schedule, at
from sparring.shapes import PerSample


@dataclass(frozen=True, kw_only=True)
class Historical:
    """Fictitious play by the weights: it damps the cycles of a game, where gradient descent alone orbits.

        weight | theta - 1/t sum_{i=1..t} theta[i] |^2

    The game keeps the mean of the past as a second module, `play.memory`, whose parameters are in the
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
    needs_slope: ClassVar[bool] = False
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_penalty(self.weight, self.every)

    def __call__(self, play: Play) -> PerSample:
        if play.player is None or play.memory is None:
            raise ConfigError(
                "historical averaging in a game without memory",
                "a game that keeps one",
                "leave this penalty out",
            )
        pairs = zip(play.player.parameters(), play.memory.parameters(), strict=True)
        squares = [(now.float() - past.detach().float()).square().sum() for now, past in pairs]
        return (at(self.weight, play.images) * torch.stack(squares).sum()).expand(play.batch.x.shape[0])
