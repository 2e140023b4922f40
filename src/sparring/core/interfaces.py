"""Interfaces of the parts: Objective, Penalty, Constraint, Augmentation."""

from typing import ClassVar, Protocol, runtime_checkable

from torch import nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import PerSample, Sample


@runtime_checkable
class Objective(Protocol):
    """What the two players want: two terms."""

    def discriminator(self, batch: AdversarialBatch) -> PerSample: ...
    def generator(self, batch: AdversarialBatch) -> PerSample: ...


@runtime_checkable
class Penalty(Protocol):
    """What a player must not do: a term with its weight in it, applied every `every` steps and then `every` times as strong.

    `needs_input_grad`: it asks for gradients with respect to what the discriminator sees.
    `needs_weight_average`: it asks for the averaged past of the player's weights.
    """

    needs_input_grad: ClassVar[bool]
    needs_weight_average: ClassVar[bool]

    @property
    def every(self) -> int: ...
    def __call__(self, batch: AdversarialBatch) -> PerSample: ...


@runtime_checkable
class Constraint(Protocol):
    """What is done to a player's weights after each of its steps."""

    def apply(self, player: nn.Module) -> None: ...


@runtime_checkable
class Augmentation(Protocol):
    """What is done to samples before the discriminator sees them; differentiable, the same distribution for real and generated."""

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample: ...
