"""Experiment: the complete configuration of a run (data, game, optimizers, training), as recipes return it
and `run.json` stores it.
"""

import math
import re
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
from sparring.data.config import DataConfig, upgrade_document
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

PROTOCOL_PATTERN = r"[a-z]+[0-9]+k?-[a-z][a-z0-9_]*-(train|test)"  # what a protocol's name looks like


@runtime_checkable
class GameConfig(Protocol):
    """The rules of a game, for any kind of samples."""

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
    """How long, how much at once, how often to report. All times are in images seen; 0 stands for a share of the whole.

    Arguments:
        images: length of the run, in real samples shown to the discriminator.
        batch: samples a turn, over all processes and micro-batches.
        micro_batch: samples a forward pass in each process; None for all. Batch statistics are over a micro-batch.
        seed: of everything random.
        half_life: of the averaged generator.
        ramp: greatest half-life as a share of the images seen so far, for short runs.
        report_every, sample_every, save_every: between lines of the record, sample grids, checkpoints.
        save_seconds: greatest time between checkpoints.
        grid: samples in a sample grid.
        metric: name of the protocol by which the run is judged as it goes, as `fd1k-pca-test`; empty for none.
        evaluate_every: between evaluations; 0 is as often as sample grids.
        target: stop when the metric is at least as good as this; None goes on to the end.
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

    def __post_init__(self) -> None:
        if self.total_images < 1 or self.batch < 1 or (self.micro_batch or 1) < 1 or self.sample_grid < 1:
            raise ConfigError(
                f"total_images={self.total_images}, batch={self.batch}, micro_batch={self.micro_batch}",
                "all at least 1",
                "raise them",
            )
        if (
            min(self.report_every, self.sample_every, self.save_every) < 0
            or self.ema_half_life < 0
            or self.ema_ramp < 0
        ):
            raise ConfigError("a negative interval or half-life", "0 or more", "fix it")
        self._check_metric()

    def _check_metric(self) -> None:
        if self.metric and not re.fullmatch(PROTOCOL_PATTERN, self.metric):
            raise ConfigError(
                f"metric={self.metric!r}",
                "metric, count, features and part of the data",
                "as in fd1k-pca-test",
            )
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

    def resolve(self) -> "TrainingConfig":
        """The same with every interval filled in."""
        return replace(
            self,
            report_every=self.report_every or max(1, self.total_images // 100),
            sample_every=self.sample_every or max(1, self.total_images // 10),
            save_every=self.save_every or max(1, self.total_images // 10),
            evaluate_every=self._evaluate_every() if self.metric else 0,
        )

    def _evaluate_every(self) -> int:
        return self.evaluate_every or self.sample_every or max(1, self.total_images // 10)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run, described whole.

    Arguments:
        recipe: name of the recipe that it came from.
        data: what it is trained on.
        game: who plays, by which rules.
        optimizers: one for each player, by name.
        training: length, batch, seed, intervals.
    """

    recipe: str
    data: DataConfig
    game: GameConfig
    optimizers: dict[str, OptimizerConfig]
    training: TrainingConfig

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, from which `from_json` makes an equal one."""
        document: dict[str, Any] = config.to_json(self, TYPE_TABLES)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Experiment":
        """Raises ConfigError where the document is not an experiment."""
        experiment: Experiment = config.from_json(cls, upgrade_document(document), TYPE_TABLES)
        return experiment


def count_parameters(experiment: Experiment, spec: SampleSpec) -> dict[str, int]:
    """How many numbers each player learns."""
    with torch.device("meta"):
        players = experiment.game.build(spec).players()
    return {name: sum(p.numel() for p in player.parameters()) for name, player in players.items()}
