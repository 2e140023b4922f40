"""The contracts between a game and the training loop: Batch, Terms, Turn, Game.

A game lists its turns; the loop runs them and does not know how many networks are trained.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from sparring.core.rng import KeyedRandom
from sparring.core.shapes import Labels, PerSample, Sample


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The micro-batch that the loop passes to a turn's `terms`.

    Arguments:
        x: real samples (b, *sample) on the device: images in [-1, 1], points standardised.
        y: labels (b,); None where the data has none.
        rng: random numbers of this turn, keyed by seed, step, turn and repeat.
        images: the clock at the start of the step, in real samples seen.
        step: index of this step; penalties with `every` > 1 read it.
        count: size of the training set. Each sample occurs once in the first `count` images; naive Bayes, which
            is fitted in one pass, stops there.
        x_b: real samples (b, *sample_b) of domain B, where the data has two domains: the partners of `x` where the data is
            paired, independent draws otherwise.
        carry: what a turn passes on to a later turn of the same step (generated samples, for example). The loop gives all
            turns the same dict for the same rows, and a new one in each step.
    """

    x: Sample
    y: Labels | None
    rng: KeyedRandom
    images: int
    step: int
    count: int = 0
    x_b: Sample | None = None
    carry: dict[str, Any] = field(default_factory=dict)


class Terms(NamedTuple):
    """Losses and logged values that a turn computes from a batch.

    losses: by name, one value per sample (b,), weights included. The loop minimises the sum of their means.
    logs: by name, scalars without gradient for the record (accuracies, unweighted errors). No name may stand in both.
    """

    losses: dict[str, PerSample]
    logs: dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """An update of some players: compute the terms, back-propagate, step the players' optimizers.

    Arguments:
        name: prefix of the terms in the record.
        players: names in `Game.players()` whose parameters are updated; all others are frozen meanwhile. Without players no
            gradient is computed: the terms count or measure.
        terms: from a batch to losses and logged values.
        repeats: updates per step (k of Algorithm 1 in Goodfellow et al. 2014).
        new_batch: whether each repeat advances the data stream; otherwise it sees the real samples of the turn before.
        after: called after each optimizer step (weight clipping, running averages of weights).
        active: from the clock (images) to whether the turn takes place in this step; None is always. In every step at least
            one active turn must have `new_batch`, as the clock would stand still otherwise.
    """

    name: str
    players: tuple[str, ...]
    terms: Callable[[Batch], Terms]
    repeats: int = 1
    new_batch: bool = True
    after: Callable[[], None] | None = None
    active: Callable[[int], bool] | None = None


class Game(nn.Module, ABC):
    """Players and turns. All state that must survive a restart is a parameter or buffer of the game."""

    @abstractmethod
    def players(self) -> dict[str, nn.Module]:
        """The modules with an optimizer of their own, by name."""

    @abstractmethod
    def turns(self) -> list[Turn]:
        """The turns of one step, in order."""

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """The module that is kept after training (of a GAN, the generator); the loop maintains its EMA."""


@runtime_checkable
class ClassifierLike(Protocol):
    """A module with class probabilities: a classifier, a generative model with a likelihood, a discriminator with a class head."""

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes), in float32 or better."""
        ...


@contextmanager
def freeze(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Set `requires_grad` of these parameters to False inside the context, so that no unused gradient is computed."""
    with _requires_grad(parameters, False):
        yield


@contextmanager
def unfreeze(network: nn.Module) -> Iterator[None]:
    """Let the frozen parameters of a network take part in a graph that is built inside the context."""
    with _requires_grad([p for p in network.parameters() if not p.requires_grad], True):
        yield


@contextmanager
def _requires_grad(parameters: list[nn.Parameter], value: bool) -> Iterator[None]:
    for parameter in parameters:
        parameter.requires_grad_(value)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(not value)
