"""GAN training: Algorithm 1 of the 2014 paper, for any objective, penalties, conditioning and augmentation.

Each step updates the discriminator `critic_steps` times, on new real samples each time, and then the generator once,
against the real samples of the discriminator's last update.

References: Goodfellow et al. 2014, arXiv:1406.2661, Algorithm 1. For labels and packing see adversarial_terms.py.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Constraint, Objective, Penalty
from sparring.core.shapes import Sample, SampleSpec
from sparring.games.adversarial_terms import (
    accuracies,
    adversarial_batch,
    class_log_probabilities,
    classification_losses,
)
from sparring.games.discriminator_memory import DiscriminatorMemory, WeightAverages
from sparring.models.autoencoder import require_labelled_spec
from sparring.models.discriminator import Discriminator
from sparring.models.generator import GeneratorModel
from sparring.parts.conditioning import Auxiliary, BatchFeature, Conditioning, Unconditional
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.penalties import check_distinct_penalties, penalty_losses


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """A generator and a discriminator, trained against each other.

    Arguments:
        generator, discriminator: the two networks.
        objective: the losses of both.
        head: from the discriminator's features to logits, with or without labels.
        conditional: whether both networks are conditioned on labels.
        penalties: on the discriminator. generator_penalties: on the generator. At most one of a type each.
        constraints: projections of the discriminator's weights after each of its updates.
        augmentations: of the discriminator's inputs, real and generated.
        batch_features: minibatch statistics, appended to the discriminator's features; None for none.
        critic_steps: updates of the discriminator per step (k of Algorithm 1).
        packing: samples that the discriminator classifies together (m of PacGAN).
        reuse_fakes: train the generator on the samples of the discriminator's last update, as most implementations do,
            which saves one of two forward passes; otherwise on new ones, as in Algorithm 1.
        joint_batch: pass real and generated samples through the discriminator in one batch (2014), otherwise in two. Without batch
            normalisation the result is the same, and one pass is faster.
        auxiliary_weight: of the classification losses of an auxiliary head.
        freeze_discriminator: stages of the discriminator, counted from the image, that are not trained (FreezeD).

    Raises:
        ConfigError: settings out of range or that exclude each other, or two penalties of one type.
    """

    generator: GeneratorNetwork
    discriminator: DiscriminatorNetwork
    objective: Objective
    head: Conditioning = Unconditional()
    conditional: bool = False
    penalties: tuple[Penalty, ...] = ()
    generator_penalties: tuple[Penalty, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    augmentations: tuple[Augmentation, ...] = ()
    batch_features: BatchFeature | None = None
    critic_steps: int = 1
    packing: int = 1
    reuse_fakes: bool = False
    joint_batch: bool = False
    auxiliary_weight: schedule.Schedule = 1.0
    freeze_discriminator: int = 0

    def __post_init__(self) -> None:
        check_distinct_penalties(self.penalties, "game.penalties")
        check_distinct_penalties(self.generator_penalties, "game.generator_penalties")
        if self.critic_steps < 1 or self.packing < 1 or self.freeze_discriminator < 0:
            got = f"critic_steps={self.critic_steps}, packing={self.packing}, freeze_discriminator={self.freeze_discriminator}"
            raise ConfigError(got, "at least 1, 1 and 0", "raise them")
        if self.packing > 1 and self.conditional:
            raise ConfigError("packing of a conditional game", "packing without labels", "set game.packing=1")

    @property
    def has_auxiliary_classifier(self) -> bool:
        """Whether the discriminator classifies labels as well."""
        return self.conditional and isinstance(self.head, Auxiliary)

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The untrained generator, for samples of this shape."""
        spec = spec if self.conditional else SampleSpec(shape=spec.shape)
        return GeneratorModel(self.generator.build(spec), self.generator.latent, spec, multiply_by_alpha=True)

    def build(self, spec: SampleSpec) -> "Adversarial":
        """The game for samples of this shape.

        Raises:
            ConfigError: a conditional game for data without labels.
        """
        require_labelled_spec(spec, self.conditional)
        return Adversarial(self, spec)


class Adversarial(Game):
    """Trains a generator against a discriminator."""

    def __init__(self, config: AdversarialConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config, self.generation = config, config.build_model(spec)
        packed = self.generation.spec.stack_channels(config.packing)
        parts = config.discriminator, config.head, config.batch_features
        self.discriminator = Discriminator(*parts, spec=packed, frozen_stages=config.freeze_discriminator)
        self.penalties = {"discriminator": config.penalties, "generator": config.generator_penalties}
        self.pasts, self.memory = WeightAverages(self.players(), self.penalties), DiscriminatorMemory(config)

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generation, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        discriminator = Turn(
            name="discriminator",
            players=("discriminator",),
            terms=self._discriminator_terms,
            repeats=self.config.critic_steps,
            after=lambda: self._after_update("discriminator"),
        )
        generator = Turn(
            name="generator",
            players=("generator",),
            terms=self._generator_terms,
            new_batch=False,
            after=lambda: self._after_update("generator"),
        )
        return [discriminator, generator]

    def _discriminator_terms(self, batch: Batch) -> Terms:
        pair = self._adversarial_batch(batch, "discriminator")
        losses = {"adversarial": self.config.objective.discriminator(pair)}
        losses |= classification_losses(self.config, pair, with_real=True)
        losses |= penalty_losses(self.penalties["discriminator"], pair)
        return Terms(losses, accuracies(pair) | self.memory.observe(pair))

    def _generator_terms(self, batch: Batch) -> Terms:
        pair = self._adversarial_batch(batch, "generator")
        losses = {"adversarial": self.config.objective.generator(pair)}
        losses |= classification_losses(self.config, pair, with_real=False)
        return Terms(losses | penalty_losses(self.penalties["generator"], pair), {})

    def _adversarial_batch(self, batch: Batch, player: str) -> AdversarialBatch:
        parts = self.config, self.generation, self.discriminator, batch
        return adversarial_batch(
            *parts,
            penalties=self.penalties[player],
            history=self.pasts.history(player, self.players()[player]),
            memory=self.memory,
        )

    def _after_update(self, player: str) -> None:
        if player == "discriminator":
            for constraint in self.config.constraints:
                constraint.apply(self.discriminator)
        else:  # the last turn of a step
            self.memory.update()
        self.pasts.record(player, self.players()[player])

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes); see `class_log_probabilities`."""
        return class_log_probabilities(self.discriminator, x, self.config.has_auxiliary_classifier)
