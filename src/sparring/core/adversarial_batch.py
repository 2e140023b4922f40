"""AdversarialBatch: the real and generated samples of one update, with the discriminator's features and logits
computed on first use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from sparring.core.game import Batch
from sparring.core.logit_statistics import LogitAverages
from sparring.core.shapes import Labels, Logits, Sample


@runtime_checkable
class DiscriminatorLike(Protocol):
    """The methods of a discriminator that `AdversarialBatch` calls."""

    def features(self, x: Sample) -> Tensor: ...
    def joint_features(self, *parts: Sample) -> list[Tensor]: ...
    def head(self, features: Tensor, y: Labels | None) -> Logits: ...
    def classify(self, features: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class PlayerHistory:
    """The player that a turn updates and what its game remembers of it, for penalties that read it.

    Arguments:
        player: the module that is updated.
        average: a module with the same parameters, each the mean of its past values; None where the game keeps none.
        logits: running averages of the player's logits; None where the game keeps none.
    """

    player: nn.Module
    average: nn.Module | None = None
    logits: LogitAverages | None = None


class AdversarialBatch:
    """The view of a batch from which objectives and penalties compute their values. Read-only; properties are cached.

    Who is trained is decided by the graph: `make_fake` returns detached samples in the discriminator's turn, and samples
    with the generator's graph in the generator's turn.

    Arguments:
        batch: real samples, labels, random numbers and clock.
        make_fake: returns the generated samples (b, *sample); called at most once, on first use of `x_fake`.
        discriminator: with `features`, `joint_features`, `head` and `classify`.
        augment: `augment(samples, stream)` transforms samples before the discriminator sees them; `stream` ("real" or "fake")
            names the random draws.
        needs_input_grad: make the discriminator's inputs require gradients, as gradient penalties differentiate with respect
            to them.
        joint_batch: compute the features of real and generated samples in one pass, as in the 2014 code, so that batch
            normalisation mixes their statistics; otherwise in two.
        history: of the player that is updated; None where no penalty reads it.
    """

    def __init__(
        self,
        batch: Batch,
        make_fake: Callable[[], Sample],
        discriminator: DiscriminatorLike,
        augment: Callable[[Tensor, str], Tensor],
        *,
        needs_input_grad: bool = False,
        joint_batch: bool = False,
        history: PlayerHistory | None = None,
    ) -> None:
        self.batch, self.rng, self.images = batch, batch.rng, batch.images
        self.discriminator, self.history = discriminator, history
        self.needs_input_grad, self.joint_batch = needs_input_grad, joint_batch
        self._make_fake, self._augment = make_fake, augment

    @property
    def x(self) -> Sample:
        """Real samples (b, *sample)."""
        return self.batch.x

    @property
    def y(self) -> Labels | None:
        """Labels (b,) of the real samples, on which the generated ones are conditioned as well."""
        return self.batch.y

    @cached_property
    def x_fake(self) -> Sample:
        """Generated samples (b, *sample)."""
        return self._make_fake()

    @cached_property
    def x_augmented(self) -> Sample:
        """Real samples as the discriminator sees them."""
        return self._discriminator_input(self.x, "real")

    @cached_property
    def x_fake_augmented(self) -> Sample:
        """Generated samples as the discriminator sees them."""
        return self._discriminator_input(self.x_fake, "fake")

    def _discriminator_input(self, samples: Tensor, stream: str) -> Tensor:
        augmented = self._augment(samples, stream)
        if self.needs_input_grad and not augmented.requires_grad:
            augmented = augmented.detach().float().requires_grad_()
        return augmented

    @cached_property
    def _joint_features(self) -> tuple[Tensor, Tensor]:
        real, fake = self.discriminator.joint_features(self.x_augmented, self.x_fake_augmented)
        return real, fake

    @cached_property
    def real_features(self) -> Tensor:
        """The discriminator's features of the real samples: (b, d), or feature maps of a patch discriminator."""
        return self._joint_features[0] if self.joint_batch else self.discriminator.features(self.x_augmented)

    @cached_property
    def fake_features(self) -> Tensor:
        """The discriminator's features of the generated samples."""
        if self.joint_batch:
            return self._joint_features[1]
        return self.discriminator.features(self.x_fake_augmented)

    @cached_property
    def real_logits(self) -> Logits:
        """Logits of the real samples (b,), positive for real; one per pack of samples, or one per patch, where there are such."""
        return self.discriminator.head(self.real_features, self.y).float()

    @cached_property
    def fake_logits(self) -> Logits:
        """Logits of the generated samples (b,)."""
        return self.discriminator.head(self.fake_features, self.y).float()

    @cached_property
    def real_class_logits(self) -> Tensor:
        """Class logits of the real samples (b, classes), from the auxiliary head."""
        return self.discriminator.classify(self.real_features).float()

    @cached_property
    def fake_class_logits(self) -> Tensor:
        """Class logits of the generated samples (b, classes), from the auxiliary head."""
        return self.discriminator.classify(self.fake_features).float()

    def score(self, inputs: Tensor) -> Logits:
        """Logits (b,) of other inputs (interpolations, perturbed samples), already augmented."""
        return self.discriminator.head(self.discriminator.features(inputs), self.y).float()
