"""Interfaces of the parts that any game can use: Objective, Penalty, Constraint, Augmentation."""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.rng import KeyedRandom
from sparring.core.shapes import PerSample, Sample


@dataclass(frozen=True)
class LogitScale:
    """How a logit of an objective maps to the probability of being real: sigmoid(gain (logit - centre)).

    Arguments:
        centre: logit at which the discriminator is undecided; None takes the middle between the means of real and
            generated samples.
        gain: None takes one over half of the logits' standard deviation.
    """

    centre: float | None = None
    gain: float | None = None


@runtime_checkable
class Objective(Protocol):
    """The losses of discriminator and generator: two terms. Objectives derive from this class for the defaults of its facts.

    `logit_scale`: what the logits mean, for the grey levels of the explorer's playground.
    `generator_lost_above`: the generator's loss above which the discriminator has won, for the doctor; None where the loss
    has no absolute scale.
    """

    logit_scale: ClassVar[LogitScale] = LogitScale()
    generator_lost_above: ClassVar[float | None] = None

    def discriminator(self, batch: AdversarialBatch) -> PerSample: ...
    def generator(self, batch: AdversarialBatch) -> PerSample: ...


@runtime_checkable
class Penalty(Protocol):
    """A regulariser of a player's loss: a term with its weight included.

    It is applied in every `every`-th step, multiplied by `every` (lazy regularisation).

    `needs_input_grad`: it differentiates with respect to the discriminator's inputs.
    `needs_weight_average`: it reads the running mean of the player's weights.
    `logit_decay`: decay per step of the running averages of the logits that it reads; None where it reads none.
    """

    needs_input_grad: ClassVar[bool]
    needs_weight_average: ClassVar[bool]

    @property
    def logit_decay(self) -> float | None: ...
    @property
    def every(self) -> int: ...
    def __call__(self, batch: AdversarialBatch) -> PerSample: ...


@runtime_checkable
class Constraint(Protocol):
    """A projection of a player's weights after each of its updates."""

    def apply(self, player: nn.Module) -> None: ...


@runtime_checkable
class Augmentation(Protocol):
    """A random transformation of the discriminator's inputs: differentiable, of the same distribution for real and
    generated samples. Augmentations derive from this class for the default of `build_state`.
    """

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample: ...

    def build_state(self, logit_scale: LogitScale) -> nn.Module | None:
        """A new module that is called in the augmentation's place and adapts to the discriminator: an `AugmentationState`;
        None for an augmentation that adapts to nothing.

        Arguments:
            logit_scale: of the game's objective.
        """
        return None


@runtime_checkable
class AugmentationState(Protocol):
    """What an adaptive augmentation remembers. A game keeps it as a submodule, so that its buffers survive a restart."""

    def __call__(self, samples: Sample, rng: KeyedRandom, stream: str, images: int) -> Sample: ...

    def observe(self, batch: AdversarialBatch) -> dict[str, Tensor]:
        """Take note of the logits of a micro-batch in the discriminator's turn; values for the record, by name."""
        ...

    def update(self) -> None:
        """Adapt to what was observed, once at the end of a step, in all processes alike."""
        ...
