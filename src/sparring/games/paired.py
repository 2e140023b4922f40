"""Paired translation (pix2pix): L1 reconstruction and a conditional PatchGAN discriminator.

    L_G = weight of the discriminator * L_GAN(G, D) + weight of closeness * E |b - G(a)|_1        D sees (a, b) and (a, G(a))

The translator is updated first, and the discriminator sees the same images, so that each is made once a step.

References: Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks",
arXiv:1611.07004, Eq. 1-4, sec. 3.3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Objective, Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import SampleSpec
from sparring.games.patch_terms import (
    check_patch_game,
    discriminator_losses,
    domains,
    mean_per_sample,
    patch_batch,
    psnr,
)
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.objectives import NonSaturating


@dataclass(frozen=True, kw_only=True)
class PairedConfig:
    """Who plays, and by which rules.

    Deviation: the paper halves the judge's loss to slow it down, which under Adam changes nothing and is left out. What noise there
    is comes from dropout in the translator while it trains; a kept translator has none.

    Arguments:
        translator, discriminator: the two networks.
        objective: what they want of the judgements. The paper's is cross-entropy.
        reconstruction: weight of the mean absolute distance to the partner (lambda, 100); 0 leaves it out.
        adversarial: weight of the judge; 0 for none, which is regression.
        conditional: whether the judge sees what was translated, too.
        penalties: on the judge. augmentations: of all that it sees, alike for the two of a pair.
        joint: real and generated images in one batch of the judge.
    """

    translator: TranslatorNetwork
    discriminator: PatchDiscriminatorNetwork
    objective: Objective = NonSaturating()
    reconstruction: Schedule = 100.0
    adversarial: Schedule = 1.0
    conditional: bool = True
    penalties: tuple[Penalty, ...] = ()
    augmentations: tuple[Augmentation, ...] = ()
    joint_batch: bool = True

    def __post_init__(self) -> None:
        check_patch_game(self, reconstruction=self.reconstruction, adversarial=self.adversarial)
        if not self.has_discriminator and max(schedule.endpoints(self.reconstruction)) == 0:
            raise ConfigError(
                "a translator that nobody asks for anything", "a weight above 0", "raise one of them"
            )

    @property
    def has_discriminator(self) -> bool:
        return max(schedule.endpoints(self.adversarial)) > 0

    def build_model(self, spec: SampleSpec) -> TranslatorModel:
        """The translator alone, untrained."""
        other = spec.shape_b or spec.shape
        return TranslatorModel(self.translator.build(spec.shape, other), None, spec)

    def build(self, spec: SampleSpec) -> "Paired":
        """The game for pairs of images of this kind."""
        return Paired(self, spec)


class Paired(Game):
    """The game of pairs; one of a single player where nobody judges."""

    def __init__(self, config: PairedConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shape_in, shape_out = self.translation.ends()
        seen = shape_out[0] + (shape_in[0] if config.conditional else 0)
        size = shape_out[1], shape_out[2]
        self.discriminator = (
            config.discriminator.build(seen, size) if config.has_discriminator else nn.Identity()
        )
        self._fakes: dict[int, Tensor] = {}  # by first row of the micro-batch; empty between steps

    @property
    def model(self) -> TranslatorModel:
        return self.translation

    def players(self) -> dict[str, nn.Module]:
        return {"translator": self.translation, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        first = Turn(name="translator", players=("translator",), terms=self._translator_terms)
        second = Turn(
            name="discriminator", players=("discriminator",), terms=self._discriminator_terms, new_batch=False
        )
        return [first, second] if self.config.has_discriminator else [first]

    def _translator_terms(self, batch: Batch) -> Terms:
        a, b = domains(batch)
        fake = self.translation.a_to_b(a)
        distance = mean_per_sample((fake - b).abs())
        losses = {"reconstruction": schedule.value_at(self.config.reconstruction, batch.images) * distance}
        if self.config.has_discriminator:
            play = patch_batch(
                self.config,
                self.discriminator,
                batch,
                *self._discriminator_input(a, b, fake),
                train_discriminator=False,
                channel_splits=self._channel_splits(),
            )
            weight = schedule.value_at(self.config.adversarial, batch.images)
            losses["adversarial"] = weight * self.config.objective.generator(play)
            self._fakes[batch.rng.rows.start] = fake.detach()
        return Terms(losses, {"l1": distance.detach().mean(), "psnr": psnr(fake, b)})

    def _discriminator_terms(self, batch: Batch) -> Terms:
        a, b = domains(batch)
        fake = self._fakes.pop(batch.rng.rows.start)
        shown = self._discriminator_input(a, b, fake)
        play = patch_batch(
            self.config,
            self.discriminator,
            batch,
            *shown,
            train_discriminator=True,
            channel_splits=self._channel_splits(),
        )
        return Terms(*discriminator_losses(self.config, play))

    def _discriminator_input(self, a: Tensor, b: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """What the judge sees: real and generated."""
        if not self.config.conditional:
            return b, fake
        return torch.cat([a, b], 1), torch.cat([a, fake], 1)

    def _channel_splits(self) -> tuple[int, ...]:
        shape_in, shape_out = self.translation.ends()
        return (shape_in[0], shape_out[0]) if self.config.conditional else ()
