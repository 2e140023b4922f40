"""Paired translation (pix2pix): L1 reconstruction and a conditional PatchGAN discriminator.

    L_G = adversarial * L_GAN(G, D) + reconstruction * E |b - G(a)|_1        D sees (a, b) and (a, G(a))

The translator is updated first, then the discriminator on the same translations, so that each is computed once a step.

References: Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks",
arXiv:1611.07004, Eq. 1-4, sec. 3.3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Objective, Penalty
from sparring.core.schedule import Schedule
from sparring.core.shapes import SampleSpec
from sparring.games.discriminator_memory import DiscriminatorMemory
from sparring.games.patch_terms import (
    check_patch_game,
    discriminator_terms,
    domains,
    mean_per_sample,
    patch_batch,
    psnr,
)
from sparring.models.translator import TranslatorModel
from sparring.parts.networks import PatchDiscriminatorNetwork, TranslatorNetwork
from sparring.parts.objectives import NonSaturating

CARRY_FAKE = "paired.fake"  # in Batch.carry: the translations of this step


@dataclass(frozen=True, kw_only=True)
class PairedConfig:
    """A translator from A to B, trained on pairs, and a patch discriminator.

    Deviation: the paper halves the discriminator's loss to slow it down, which has no effect under Adam and is left out.
    The only noise is the translator's dropout in training; the model for inference has none.

    Arguments:
        translator, discriminator: the two networks.
        objective: the losses of both; the paper's is cross-entropy.
        reconstruction: weight of the mean absolute error (lambda, 100); 0 leaves it out.
        adversarial: weight of the adversarial loss; 0 trains no discriminator, which is regression.
        conditional: whether the discriminator sees the input image as well.
        penalties: on the discriminator. augmentations: of its inputs, the same for both images of a pair.
        joint_batch: pass real and generated images through the discriminator in one batch.

    Raises:
        ConfigError: a negative weight, both weights 0, or penalties that are not supported.
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
            got = "reconstruction=0 and adversarial=0: a translator without a loss"
            raise ConfigError(got, "a weight above 0", "set game.reconstruction=100")

    @property
    def has_discriminator(self) -> bool:
        """Whether a discriminator is trained."""
        return max(schedule.endpoints(self.adversarial)) > 0

    def build_model(self, spec: SampleSpec) -> TranslatorModel:
        """The translator alone, untrained."""
        other = spec.shape_b or spec.shape
        return TranslatorModel(self.translator.build(spec.shape, other), None, spec)

    def build(self, spec: SampleSpec) -> "Paired":
        """The game for pairs of images of these shapes."""
        return Paired(self, spec)


class Paired(Game):
    """Trains a translator on pairs, against a discriminator where the adversarial weight is above 0."""

    def __init__(self, config: PairedConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.translation = config, config.build_model(spec)
        shape_in, shape_out = self.translation.ends()
        channels = shape_out[0] + (shape_in[0] if config.conditional else 0)
        size = shape_out[1], shape_out[2]
        self.discriminator = (
            config.discriminator.build(channels, size) if config.has_discriminator else nn.Identity()
        )
        self.memory = DiscriminatorMemory(config)

    @property
    def model(self) -> TranslatorModel:
        return self.translation

    def players(self) -> dict[str, nn.Module]:
        return {"translator": self.translation, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        first = Turn(name="translator", players=("translator",), terms=self._translator_terms)
        second = Turn(
            name="discriminator",
            players=("discriminator",),
            terms=self._discriminator_terms,
            new_batch=False,
            after=self.memory.update,
        )
        return [first, second] if self.config.has_discriminator else [first]

    def _translator_terms(self, batch: Batch) -> Terms:
        a, b = domains(batch)
        fake = self.translation.a_to_b(a)
        distance = mean_per_sample((fake - b).abs())
        losses = {"reconstruction": schedule.value_at(self.config.reconstruction, batch.images) * distance}
        if self.config.has_discriminator:
            pair = self._patch_batch(batch, fake, train_discriminator=False)
            weight = schedule.value_at(self.config.adversarial, batch.images)
            losses["adversarial"] = weight * self.config.objective.generator(pair)
            batch.carry[CARRY_FAKE] = fake.detach()
        return Terms(losses, {"l1": distance.detach().mean(), "psnr": psnr(fake, b)})

    def _discriminator_terms(self, batch: Batch) -> Terms:
        pair = self._patch_batch(batch, batch.carry.pop(CARRY_FAKE), train_discriminator=True)
        return discriminator_terms(self.memory, pair)

    def _patch_batch(self, batch: Batch, fake: Tensor, *, train_discriminator: bool) -> AdversarialBatch:
        """The real and the translated image, each stacked on the input image where the discriminator sees it."""
        a, b = domains(batch)
        real = b
        channel_splits: tuple[int, ...] = ()
        if self.config.conditional:
            real, fake = torch.cat([a, b], 1), torch.cat([a, fake], 1)
            channel_splits = a.shape[1], b.shape[1]
        return patch_batch(
            self.memory,
            self.discriminator,
            batch,
            real,
            fake,
            train_discriminator=train_discriminator,
            channel_splits=channel_splits,
        )
