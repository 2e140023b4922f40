"""Experiment: the complete configuration of a run (data, game, optimizers, training), as recipes return it
and `run.json` stores it.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch

from sparring.core import config
from sparring.core.errors import ConfigError
from sparring.core.game import Game
from sparring.core.interfaces import Augmentation, Constraint, Objective, Penalty
from sparring.core.optimizers import OPTIMIZERS, OptimizerConfig
from sparring.core.schedule import SCHEDULES, Schedule
from sparring.core.shapes import SampleSpec
from sparring.data.config import DataConfig
from sparring.games import GAMES
from sparring.models.model import Model
from sparring.parts.augmentation import AUGMENTATIONS
from sparring.parts.conditioning import BATCH_FEATURES, HEADS, BatchFeature, Conditioning
from sparring.parts.likelihoods import LIKELIHOODS, Likelihood
from sparring.parts.networks import (
    DISCRIMINATORS,
    GENERATORS,
    PATCH_DISCRIMINATORS,
    TRANSLATORS,
    DiscriminatorNetwork,
    GeneratorNetwork,
    PatchDiscriminatorNetwork,
    TranslatorNetwork,
)
from sparring.parts.objectives import OBJECTIVES
from sparring.parts.penalties import CONSTRAINTS, PENALTIES
from sparring.parts.posteriors import POSTERIORS, Posterior
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.rescue import Rescue


@runtime_checkable
class GameConfig(Protocol):
    """The configuration of a game: builds it for samples of a given shape."""

    def build(self, spec: SampleSpec) -> Game: ...
    def build_model(self, spec: SampleSpec) -> Model: ...


TYPE_TABLES: config.TypeTables = {
    GameConfig: GAMES,
    GeneratorNetwork: GENERATORS,
    DiscriminatorNetwork: DISCRIMINATORS,
    TranslatorNetwork: TRANSLATORS,
    PatchDiscriminatorNetwork: PATCH_DISCRIMINATORS,
    Objective: OBJECTIVES,
    Posterior: POSTERIORS,
    Likelihood: LIKELIHOODS,
    Conditioning: HEADS,
    BatchFeature: BATCH_FEATURES,
    Penalty: PENALTIES,
    Constraint: CONSTRAINTS,
    Augmentation: AUGMENTATIONS,
    OptimizerConfig: OPTIMIZERS,
    Schedule: SCHEDULES,
}


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Length, batch size, seed and intervals of training. All times are in images seen.

    Arguments:
        total_images: length of the run, in real samples seen.
        batch: samples per turn, over all processes and micro-batches.
        micro_batch: samples per forward pass of a process; None for all. Batch normalisation is over a micro-batch.
        seed: of all random numbers.
        ema_half_life: of the averaged model, in images.
        ema_ramp: largest half-life as a fraction of the images seen so far, for short runs.
        report_every: interval of metrics.jsonl, in images; 0 is a hundredth of the run.
        sample_every: interval of previews, in images; 0 is a tenth of the run.
        save_every: interval of checkpoints, in images; 0 is a tenth of the run.
        save_every_seconds: longest time between checkpoints.
        sample_grid: samples in a preview.
        metric: protocol of the evaluations during training, such as `fd1k-pca-test`; empty for none.
        evaluate_every: interval of evaluations, in images; 0 is `sample_every`.
        target: stop when the metric is at least as good as this; None trains to the end.
        rescue: when to go back to an earlier checkpoint, and what to change then; None trains on, whatever happens.

    Raises:
        ConfigError: a value is out of range, or the metric is no protocol.
    """

    total_images: int
    batch: int = 64
    micro_batch: int | None = None
    seed: int = 0
    ema_half_life: float = 10_000.0
    ema_ramp: float = 0.05
    report_every: int = 0
    sample_every: int = 0
    save_every: int = 0
    save_every_seconds: float = 600.0
    sample_grid: int = 64
    metric: str = ""
    evaluate_every: int = 0
    target: float | None = None
    rescue: Rescue | None = None

    def __post_init__(self) -> None:
        if self.total_images < 1 or self.batch < 1 or (self.micro_batch or 1) < 1 or self.sample_grid < 1:
            raise ConfigError(
                f"total_images={self.total_images}, batch={self.batch}, micro_batch={self.micro_batch}",
                "all at least 1",
                "increase them",
            )
        if (
            min(self.report_every, self.sample_every, self.save_every) < 0
            or self.ema_half_life < 0
            or self.ema_ramp < 0
        ):
            raise ConfigError("a negative interval or half-life", "0 or more", "fix it")
        self._check_metric()

    def _check_metric(self) -> None:
        if self.metric:
            EvaluationProtocol.parse(self.metric)
        if self.evaluate_every < 0 or (self.target is not None and not math.isfinite(self.target)):
            raise ConfigError(
                f"evaluate_every={self.evaluate_every}, target={self.target}",
                "0 or more; a finite number",
                "fix it",
            )
        if not self.metric and (self.evaluate_every or self.target is not None):
            raise ConfigError(
                f"evaluate_every={self.evaluate_every}, target={self.target}, but no metric",
                "the name of what is measured",
                "--set training.metric=fd1k-pca-train, or leave these out",
            )

    @classmethod
    def from_json(cls, document: Any) -> "TrainingConfig":
        """The `training` object of an experiment as JSON. Raises ConfigError where it is none."""
        training: TrainingConfig = config.from_json(cls, document, TYPE_TABLES, "training")
        return training

    def resolve(self) -> "TrainingConfig":
        """A copy in which no interval is 0."""
        return replace(
            self,
            report_every=self.report_every or max(1, self.total_images // 100),
            sample_every=self.sample_every or max(1, self.total_images // 10),
            save_every=self.save_every or max(1, self.total_images // 10),
            evaluate_every=(
                self.evaluate_every or self.sample_every or max(1, self.total_images // 10)
                if self.metric
                else 0
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The complete configuration of a run.

    Arguments:
        recipe: name of the recipe it was made from.
        data: source and preparation of the samples.
        game: networks, objective, penalties.
        optimizers: by the name of the player.
        training: length, batch size, seed, intervals.
        reasons: what the recipe chose by itself and why, in sentences, for people.
    """

    recipe: str
    data: DataConfig
    game: GameConfig
    optimizers: dict[str, OptimizerConfig]
    training: TrainingConfig
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The experiment as JSON objects; `from_json` inverts it."""
        document: dict[str, Any] = config.to_json(self, TYPE_TABLES)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Experiment":
        """The experiment that `to_json` wrote.

        Raises:
            ConfigError: an unknown name, a wrong type or a value out of range.
        """
        experiment: Experiment = config.from_json(cls, document, TYPE_TABLES)
        return experiment

    def with_remedies(self, level: int) -> "Experiment":
        """The experiment after `level` rescues: with the settings of so many remedies, one on top of the other.

        Raises:
            ConfigError: a setting that does not exist, or a value out of range.
        """
        remedies = self.training.rescue.remedies[:level] if self.training.rescue is not None else ()
        settings = [setting for remedy in remedies for setting in remedy]
        if not settings:
            return self
        return Experiment.from_json(config.apply_overrides(self.to_json(), settings))

    def count_parameters(self, spec: SampleSpec) -> dict[str, int]:
        """The number of parameters of each player, by name, for samples of this shape; no memory is allocated for them."""
        with torch.device("meta"):
            players = self.game.build(spec).players()
        return {name: sum(p.numel() for p in player.parameters()) for name, player in players.items()}
