"""Two players: Algorithm 1 of the 2014 paper, for any objective, penalties, conditioning and augmentation.

Each step the discriminator is updated `critic_steps` times, on new real samples each time; then the generator
is updated once, against the real samples of the discriminator's last update.

References: Goodfellow et al. 2014, arXiv:1406.2661, Algorithm 1; Mirza & Osindero 2014, arXiv:1411.1784
(labels); Lin et al. 2018, arXiv:1712.04086 (packing).
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sparring.core import schedule
from sparring.core.adversarial_batch import AdversarialBatch, FakeSamples
from sparring.core.ema import EMA
from sparring.core.errors import ConfigError, SparringError
from sparring.core.game import Batch, Game, Terms, Turn
from sparring.core.interfaces import Augmentation, Constraint, Objective, Penalty
from sparring.core.shapes import Sample, SampleSpec
from sparring.models.discriminator import Discriminator
from sparring.models.generator import GeneratorModel
from sparring.parts.augmentation.packing import pack
from sparring.parts.conditioning import Auxiliary, BatchFeature, Conditioning, Unconditional
from sparring.parts.networks import DiscriminatorNetwork, GeneratorNetwork
from sparring.parts.objectives.auxiliary import auxiliary_fake_loss, auxiliary_real_loss


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig:
    """Who plays, and by which rules.

    Arguments:
        generator, discriminator: the two networks.
        objective: what they want.
        head: how the discriminator judges its features, and how it uses labels.
        conditional: whether both players are told the labels.
        penalties: on the discriminator. generator_penalties: on the generator.
        constraints: on the discriminator's weights after each of its steps.
        augmentations: of all that the discriminator sees.
        batch_features: statistics of the batch, appended to the discriminator's features.
        critic_steps: the discriminator's moves in one step (k of Algorithm 1).
        packing: samples judged together (m of PacGAN).
        shared_fakes: the generator is judged on the very samples that the discriminator judged last, as most code does;
            otherwise on new ones, as in Algorithm 1. It saves one of two passes through the generator.
        joint: real and generated samples in one batch of the discriminator (2014), otherwise in two.
        auxiliary_weight: of the classification terms of an auxiliary head.
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

    def __post_init__(self) -> None:
        if self.critic_steps < 1 or self.packing < 1:
            raise ConfigError(
                f"critic_steps={self.critic_steps}, packing={self.packing}", "both at least 1", "raise them"
            )
        if self.packing > 1 and self.conditional:
            raise ConfigError(
                "packing of a conditional game",
                "packing without labels",
                "set game.conditional=false or game.packing=1",
            )
        if self.joint_batch and self.batch_features is not None:
            raise ConfigError(
                "batch features in a joint batch", "real and generated apart", "set game.joint_batch=false"
            )

    def _network_spec(self, spec: SampleSpec) -> SampleSpec:
        return spec if self.conditional else SampleSpec(shape=spec.shape)

    def build_model(self, spec: SampleSpec) -> GeneratorModel:
        """The generator alone, untrained: what a generator file is loaded into."""
        told = self._network_spec(spec)
        return GeneratorModel(self.generator.build(told), self.generator.latent, told)

    def build(self, spec: SampleSpec) -> "Adversarial":
        """The game for samples of this kind."""
        if self.conditional and not spec.num_classes:
            raise ConfigError(
                "a conditional game on a set without labels",
                "labels",
                "set game.conditional=false or label the data",
            )
        return Adversarial(self, spec)


class Adversarial(Game):
    """The two-player game."""

    def __init__(self, config: AdversarialConfig, spec: SampleSpec) -> None:
        super().__init__()
        self.config = config
        self.generation = config.build_model(spec)
        seen = self.generation.spec.stack_channels(config.packing)
        self.discriminator = Discriminator(
            config.discriminator, config.head, config.batch_features, spec=seen
        )
        self._shared: dict[int, FakeSamples] = {}  # by first row of the micro-batch; empty between steps
        self.pasts = nn.ModuleDict()
        for name, player in self.players().items():
            if any(penalty.needs_weight_average for penalty in self._penalties(name)):
                self.pasts[name] = EMA.cumulative_mean(player)

    @property
    def model(self) -> GeneratorModel:
        return self.generation

    def players(self) -> dict[str, nn.Module]:
        return {"generator": self.generation, "discriminator": self.discriminator}

    def turns(self) -> list[Turn]:
        return [
            Turn(
                name="discriminator",
                players=("discriminator",),
                terms=self._discriminator_terms,
                repeats=self.config.critic_steps,
                after=lambda: self._after("discriminator"),
            ),
            Turn(
                name="generator",
                players=("generator",),
                terms=self._generator_terms,
                new_batch=False,
                after=lambda: self._after("generator"),
            ),
        ]

    def _discriminator_terms(self, batch: Batch) -> Terms:
        play = self._play(batch, "discriminator")
        losses = {"adversarial": self.config.objective.discriminator(play)}
        if self.has_auxiliary_classifier:
            weight = schedule.value_at(self.config.auxiliary_weight, batch.images)
            losses["classes"] = weight * (auxiliary_real_loss(play) + auxiliary_fake_loss(play))
        losses |= self._penalty_losses(play, "discriminator")
        if self.config.reuse_fakes:
            self._shared[batch.rng.rows.start] = play.share()
        with torch.no_grad():
            right = {"real": play.real_logits > 0, "fake": play.fake_logits < 0}
            watched = {f"accuracy_{name}": hits.float().mean() for name, hits in right.items()}
        return Terms(losses, watched)

    def _generator_terms(self, batch: Batch) -> Terms:
        play = self._play(batch, "generator")
        losses = {"adversarial": self.config.objective.generator(play)}
        if self.has_auxiliary_classifier:
            losses["classes"] = schedule.value_at(
                self.config.auxiliary_weight, batch.images
            ) * auxiliary_fake_loss(play)
        return Terms(losses | self._penalty_losses(play, "generator"), {})

    def log_probabilities(self, x: Sample) -> Tensor:
        """log p(y|x) (b, classes) by the auxiliary head; a game without one raises SparringError."""
        if not self.has_auxiliary_classifier:
            raise SparringError(
                "a GAN whose discriminator names no classes, and whose samples have no likelihood",
                "a model that can tell classes",
                "train one of the recipes acgan, cvae, naive_bayes or logistic on labelled images",
            )
        return self.discriminator.classify(self.discriminator.features(x)).float().log_softmax(1)

    @property
    def has_auxiliary_classifier(self) -> bool:
        return self.config.conditional and isinstance(self.config.head, Auxiliary)

    def _play(self, batch: Batch, player: str) -> AdversarialBatch:
        return AdversarialBatch(
            batch if self.config.conditional else replace(batch, y=None),
            self.generation,
            self.discriminator,
            self.generation.latent,
            lambda samples, stream: self._view(samples, batch, stream),
            generating=player == "generator",
            shared=self._shared.pop(batch.rng.rows.start, None) if player == "generator" else None,
            keeps=player == "discriminator" and self.config.reuse_fakes,
            slope=any(penalty.needs_input_grad for penalty in self._due_penalties(player, batch)),
            joint_batch=self.config.joint_batch,
            player=self.players()[player],
            memory=self._past(player),
        )

    def _past(self, player: str) -> nn.Module | None:
        past = self.pasts[player] if player in self.pasts else None
        return past.module if isinstance(past, EMA) else None

    def _view(self, samples: Tensor, batch: Batch, stream: str) -> Tensor:
        for augmentation in self.config.augmentations:
            samples = augmentation(samples, batch.rng, stream, batch.images)
        return pack(samples, self.config.packing) if self.config.packing > 1 else samples

    def _penalties(self, player: str) -> tuple[Penalty, ...]:
        return self.config.penalties if player == "discriminator" else self.config.generator_penalties

    def _penalty_losses(self, play: AdversarialBatch, player: str) -> dict[str, Tensor]:
        due = self._due_penalties(player, play.batch)
        return {type(penalty).__name__.lower(): penalty.every * penalty(play) for penalty in due}

    def _due_penalties(self, player: str, batch: Batch) -> list[Penalty]:
        return [penalty for penalty in self._penalties(player) if batch.step % penalty.every == 0]

    def _after(self, player: str) -> None:
        if player == "discriminator":
            for constraint in self.config.constraints:
                constraint.apply(self.discriminator)
        past = self.pasts[player] if player in self.pasts else None
        if isinstance(past, EMA):
            past.update(self.players()[player])
