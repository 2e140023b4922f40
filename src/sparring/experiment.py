"""One run, described whole: data, game, optimizers, training. Recipes are functions that return it; `run.json` holds it."""

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from sparring import config
from sparring.augment import AUGMENTATIONS
from sparring.conditioning import BATCH_FEATURES, HEADS, BatchFeature, Conditioning
from sparring.data.config import DataConfig, completed
from sparring.errors import ConfigError
from sparring.game import Game
from sparring.games import GAMES
from sparring.games.classification import Kept
from sparring.likelihoods import LIKELIHOODS, Likelihood
from sparring.networks import DISCRIMINATORS, GENERATORS, DiscriminatorNetwork, GeneratorNetwork
from sparring.objectives import OBJECTIVES
from sparring.optim import OPTIMIZERS, OptimizerConfig
from sparring.penalties import CONSTRAINTS, PENALTIES
from sparring.posteriors import POSTERIORS, Posterior
from sparring.roles import Augmentation, Constraint, Objective, Penalty
from sparring.schedule import SCHEDULES, Schedule
from sparring.shapes import Spec
from sparring.translators import (
    PATCH_DISCRIMINATORS,
    TRANSLATORS,
    PatchDiscriminatorNetwork,
    TranslatorNetwork,
)

PROTOCOL = r"[a-z]+[0-9]+k?-[a-z][a-z0-9_]*-(train|test)"  # what a protocol's name looks like


@runtime_checkable
class GameConfig(Protocol):
    """The rules of a game, for any kind of samples."""

    def build(self, spec: Spec) -> Game: ...
    def kept(self, spec: Spec) -> Kept: ...


ROLES: config.Roles = {
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
class Training:
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

    images: int
    batch: int = 64
    micro_batch: int | None = None
    seed: int = 0
    half_life: float = 10_000.0
    ramp: float = 0.05
    report_every: int = 0
    sample_every: int = 0
    save_every: int = 0
    save_seconds: float = 600.0
    grid: int = 64
    metric: str = ""
    evaluate_every: int = 0
    target: float | None = None

    def __post_init__(self) -> None:
        if self.images < 1 or self.batch < 1 or (self.micro_batch or 1) < 1 or self.grid < 1:
            raise ConfigError(
                f"images={self.images}, batch={self.batch}, micro_batch={self.micro_batch}",
                "all at least 1",
                "raise them",
            )
        if (
            min(self.report_every, self.sample_every, self.save_every) < 0
            or self.half_life < 0
            or self.ramp < 0
        ):
            raise ConfigError("a negative interval or half-life", "0 or more", "mend it")
        self._check_metric()

    def _check_metric(self) -> None:
        if self.metric and not re.fullmatch(PROTOCOL, self.metric):
            raise ConfigError(
                f"metric={self.metric!r}",
                "metric, count, features and part of the data",
                "as in fd1k-pca-test",
            )
        if self.evaluate_every < 0 or (self.target is not None and not math.isfinite(self.target)):
            raise ConfigError(
                f"evaluate_every={self.evaluate_every}, target={self.target}",
                "0 or more; a finite number",
                "mend it",
            )
        if not self.metric and (self.evaluate_every or self.target is not None):
            raise ConfigError(
                f"evaluate_every={self.evaluate_every}, target={self.target}, but no metric",
                "the name of what is measured",
                "--set training.metric=fd1k-pca-train, or leave these out",
            )

    def resolved(self) -> "Training":
        """The same with every interval filled in."""
        return replace(
            self,
            report_every=self.report_every or max(1, self.images // 100),
            sample_every=self.sample_every or max(1, self.images // 10),
            save_every=self.save_every or max(1, self.images // 10),
            evaluate_every=self._evaluate_every() if self.metric else 0,
        )

    def _evaluate_every(self) -> int:
        return self.evaluate_every or self.sample_every or max(1, self.images // 10)


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
    training: Training

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, from which `from_json` makes an equal one."""
        document: dict[str, Any] = config.encode(self, ROLES)
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Experiment":
        """Raises ConfigError where the document is not an experiment."""
        experiment: Experiment = config.decode(cls, completed(document), ROLES)
        return experiment
