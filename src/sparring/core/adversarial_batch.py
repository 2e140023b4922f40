"""AdversarialBatch: the real and fake samples of one update of two players, with the discriminator's features
and logits computed when first used.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from sparring.core.game import Batch
from sparring.core.shapes import Features, Labels, Logits, Sample


@runtime_checkable
class DiscriminatorLike(Protocol):
    """What `AdversarialBatch` asks of a discriminator."""

    def features(self, x: Sample) -> Features: ...
    def head(self, features: Features, y: Labels | None) -> Logits: ...
    def classify(self, features: Features) -> Tensor: ...


@dataclass
class FakeSamples:
    """Generated samples, with the generator's graph, that one player has judged and the other shall judge too."""

    z: Tensor
    x_fake: Tensor


class AdversarialBatch:
    """A read-only view of one batch in one turn of two players; each property is computed when first asked for.

    Arguments:
        batch: what the loop dealt.
        generator: from (z, y) to samples (b, *sample).
        discriminator: with `features`, `head` and `classify`.
        latent: dimension of z.
        view: what happens to samples before the discriminator sees them (augmentation, noise, packing), as
            `view(samples, stream)`; the stream names its random draws.
        shared: the samples that the discriminator has judged, where the generator is judged on the same ones.
        keeps: whether to keep the generator's graph in the discriminator's turn, so that `share` can hand it on.
        generating: whether gradients flow to the generator (its turn) or not (the discriminator's).
        gradient: mark what the discriminator sees, so that a penalty can ask for the gradient with respect to it.
        joint: let the discriminator see real and generated samples in one batch, as in the 2014 code, so that batch
            normalisation mixes their statistics; otherwise in two.
        player: the network that this turn trains, for penalties on weights.
        memory: the averaged past of `player`, where a penalty keeps one.
    """

    def __init__(
        self,
        batch: Batch,
        generator: nn.Module,
        discriminator: DiscriminatorLike,
        latent: int,
        view: Callable[[Tensor, str], Tensor],
        *,
        generating: bool,
        shared: FakeSamples | None = None,
        keeps: bool = False,
        slope: bool = False,
        joint_batch: bool = False,
        player: nn.Module | None = None,
        memory: nn.Module | None = None,
    ) -> None:
        self.batch, self.rng, self.images = batch, batch.rng, batch.images
        self.generator, self.discriminator, self.latent, self.view = generator, discriminator, latent, view
        self.generating, self.shared, self.keeps = generating, shared, keeps
        self.slope, self.joint_batch = slope, joint_batch
        self.player, self.memory = player, memory

    @property
    def x(self) -> Sample:
        """Real samples."""
        return self.batch.x

    @property
    def y(self) -> Labels | None:
        """Labels of the real samples, which the generated ones are asked for as well."""
        return self.batch.y

    @cached_property
    def z(self) -> Tensor:
        """Latents (b, z)."""
        return self.shared.z if self.shared else self.rng.normal("latent", self.latent)

    @cached_property
    def x_fake(self) -> Sample:
        """Generated samples, with the generator's graph in its own turn only."""
        return self._generated if self.generating else self._generated.detach()

    @cached_property
    def _generated(self) -> Sample:
        if self.shared:
            return self.shared.x_fake
        wanted = torch.set_grad_enabled(self.generating or self.keeps)
        with wanted, unfreeze(self.generator) if self.keeps else nullcontext():
            return self.generator(self.z, self.y)

    def share(self) -> FakeSamples:
        """The generated samples of this turn, for the next one. Only where it `keeps` them."""
        assert self.keeps
        return FakeSamples(self.z, self._generated)

    @cached_property
    def x_augmented(self) -> Sample:
        """Real samples as the discriminator sees them."""
        return self._seen(self.x, "real")

    @cached_property
    def x_fake_augmented(self) -> Sample:
        """Generated samples as the discriminator sees them."""
        return self._seen(self.x_fake, "fake")

    def _seen(self, samples: Tensor, stream: str) -> Tensor:
        seen = self.view(samples, stream)
        if self.slope and not seen.requires_grad:
            seen = seen.detach().float().requires_grad_()
        return seen

    @cached_property
    def _joint_features(self) -> tuple[Features, Features]:
        both = self.discriminator.features(torch.cat([self.x_augmented, self.x_fake_augmented]))
        real, fake = both.chunk(2)
        return real, fake

    @cached_property
    def real_features(self) -> Features:
        """The discriminator's features of what it sees of the real samples (b, d)."""
        return self._joint_features[0] if self.joint_batch else self.discriminator.features(self.x_augmented)

    @cached_property
    def fake_features(self) -> Features:
        """The same of the generated samples (b, d)."""
        return (
            self._joint_features[1]
            if self.joint_batch
            else self.discriminator.features(self.x_fake_augmented)
        )

    @cached_property
    def real_logits(self) -> Logits:
        """The discriminator's judgement of the real samples (b,): above 0 is real. One value a pack where samples are packed."""
        return self.discriminator.head(self.real_features, self.y).float()

    @cached_property
    def fake_logits(self) -> Logits:
        """The discriminator's judgement of the generated samples (b,)."""
        return self.discriminator.head(self.fake_features, self.y).float()

    @cached_property
    def real_class_logits(self) -> Tensor:
        """The auxiliary classifier's logits for the real samples (b, classes)."""
        return self.discriminator.classify(self.real_features).float()

    @cached_property
    def fake_class_logits(self) -> Tensor:
        """The auxiliary classifier's logits for the generated samples (b, classes)."""
        return self.discriminator.classify(self.fake_features).float()

    def score(self, seen: Tensor) -> Logits:
        """The judgement of other samples (mixtures, perturbed ones) in the form that the discriminator sees (b,)."""
        return self.discriminator.head(self.discriminator.features(seen), self.y).float()


@contextmanager
def unfreeze(network: nn.Module) -> Iterator[None]:
    """Let a frozen network's parameters take part in a graph for a while."""
    parameters = [parameter for parameter in network.parameters() if not parameter.requires_grad]
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(False)
