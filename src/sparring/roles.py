"""What parts can be: the protocols of objectives, penalties, constraints and augmentations."""

from typing import ClassVar, Protocol, runtime_checkable

from torch import nn

from sparring.keyed import Draws
from sparring.play import Play
from sparring.shapes import PerSample, Sample


@runtime_checkable
class Objective(Protocol):
    """What the two players want: two terms."""

    def discriminator(self, play: Play) -> PerSample: ...
    def generator(self, play: Play) -> PerSample: ...


@runtime_checkable
class Penalty(Protocol):
    """What a player must not do: a term with its weight in it, applied every `every` steps and then `every` times as strong.

    `needs_slope`: it asks for gradients with respect to what the discriminator sees.
    `needs_memory`: it asks for the averaged past of the player's weights.
    """

    needs_slope: ClassVar[bool]
    needs_memory: ClassVar[bool]

    @property
    def every(self) -> int: ...
    def __call__(self, play: Play) -> PerSample: ...


@runtime_checkable
class Constraint(Protocol):
    """What is done to a player's weights after each of its steps."""

    def apply(self, player: nn.Module) -> None: ...


@runtime_checkable
class Augmentation(Protocol):
    """What is done to samples before the discriminator sees them; differentiable, the same distribution for real and generated."""

    def __call__(self, samples: Sample, draws: Draws, stream: str, images: int) -> Sample: ...
