"""The contracts between games and the training loop: Batch, Terms, Turn, Game.

A game lists its turns; the loop runs them without knowing how many networks are trained.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Labels, PerSample, Sample


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the loop deals to one turn.

    Arguments:
        x: real samples (b, *sample) in [-1, 1] (images) or standardised (points), on the device.
        y: labels (b,), or None where the set has none.
        draws: the random numbers of this turn.
        images: the clock, in real samples seen.
        step: number of this step, for lazy penalties.
        count: samples in the set; each comes once before `images` reaches it.
        x_b: of data with two domains, real samples of the second (b, *other): the partner of each x where the data is paired,
            else a draw of its own.
    """

    x: Sample
    y: Labels | None
    rng: KeyedRandom
    images: int
    step: int
    count: int = 0
    x_b: Sample | None = None


class Terms(NamedTuple):
    """What a turn answers.

    losses: named losses, one value a sample, each with its weight in it; the loop sums their means.
    watched: named numbers for the record only (the discriminator's accuracy), without gradient.
    """

    losses: dict[str, PerSample]
    logs: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One player's move: compute the terms, step the optimizers of `players`.

    Arguments:
        name: for the record.
        players: names in `Game.players()` whose parameters this turn trains; all others are frozen meanwhile. A turn without
            players computes no gradients: it counts, and what its terms come to is for the record.
        terms: from a batch to named losses, one value a sample, not reduced.
        repeats: how often in a step; each repeat but a `fresh=False` one is dealt a new batch of real samples.
        fresh: whether the turn is dealt new real samples; otherwise it gets those of the turn before.
        after: called when the optimizers have stepped (weight clipping, an equilibrium's balance).
        active: whether the turn is played in a step that begins after so many images; None plays it always. In each step a
            fresh one must be.
    """

    name: str
    players: tuple[str, ...]
    terms: Callable[[Batch], Terms]
    repeats: int = 1
    new_batch: bool = True
    after: Callable[[], None] | None = None
    active: Callable[[int], bool] | None = None


class Game(nn.Module, ABC):
    """Players and turns. All that must survive a restart is a parameter or buffer in here."""

    @abstractmethod
    def players(self) -> dict[str, nn.Module]:
        """The modules with an optimizer each, by name."""

    @abstractmethod
    def turns(self) -> list[Turn]:
        """The turns of one step, in order."""

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """What is kept when training is over (the generator). A running average of it is sampled from, saved and shared."""


@runtime_checkable
class ClassifierLike(Protocol):
    """What can tell classes: a classifier, a generator whose samples have a likelihood, a game with a judge of classes."""

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes), in float32 or better."""
        ...


@contextmanager
def freeze(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Freeze these for a while, so that no gradient is computed only to be thrown away."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
