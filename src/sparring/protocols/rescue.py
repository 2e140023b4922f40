"""Limits of the diagnostics: a generator that has collapsed, and a discriminator that has won.

The doctor reports by these limits, and training rescues a run by them (`Rescue`). No torch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sparring.core.errors import ConfigError

COLLAPSED_BELOW, LOW_BELOW = 0.1, 0.5  # diversity, relative to real samples
MANY_DUPLICATES = 0.5  # share of samples with a near-duplicate
WARM_UP_STEPS = 500  # before which samples may lack diversity
DISCRIMINATOR_WON_BELOW = 0.02  # the discriminator's loss
CERTAIN = 0.995  # accuracy or AUC
# A run is rescued before the doctor's alarm: healthy runs stay below an accuracy of 0.97 and above a loss of 0.4 (docs/log.md).
NEARLY_CERTAIN, NEARLY_WON_BELOW, HEALTHY_ACCURACY = 0.99, 0.1, 0.98

Trouble = Literal["collapsed", "discriminator_won"]
REMEDY_PATHS = ("game.", "optimizers.", "data.flip=", "data.random_crop=")


@dataclass(frozen=True, kw_only=True)
class Rescue:
    """When training goes back to an earlier checkpoint, and what it changes then.

    A measurement of the diagnostics is bad if the generator has collapsed (its samples are nearly the same, or most have a
    near-duplicate), or if the discriminator has won (it is always right, with a loss near 0; only for objectives whose
    logits have a scale). After `patience` bad ones in a row the run goes back to the newest checkpoint that a healthy
    measurement has followed, and goes on with one more remedy. If that happens again after the last remedy, it gives up.

    Arguments:
        remedies: in the order in which they are applied, one more at each rescue. Each is a list of settings of the form
            `path=value`, of the game, the optimizers, `data.flip` or `data.random_crop`; networks keep their shapes.
        patience: bad measurements in a row. There is one in 4,096 images or 64 steps, whichever is more.
        warmup_steps: steps at the beginning of the run whose measurements are not bad.
        min_diversity: distance of two generated samples, relative to real ones; below it the generator has collapsed.
        max_near_duplicates: share of samples with a near-duplicate; above it the generator has collapsed.
        won_accuracy: of the discriminator, for real and for generated samples; it has won from it on.
        won_loss: of the discriminator; it has won up to it.
        healthy_diversity: a measurement below it is doubtful: no reason to go back, and nothing to go back to.
        healthy_accuracy: the same, from it on.

    Raises:
        ConfigError: a value out of range, or a remedy that changes something else.
    """

    remedies: tuple[tuple[str, ...], ...]
    patience: int = 3
    warmup_steps: int = WARM_UP_STEPS
    min_diversity: float = COLLAPSED_BELOW
    max_near_duplicates: float = MANY_DUPLICATES
    won_accuracy: float = NEARLY_CERTAIN
    won_loss: float = NEARLY_WON_BELOW
    healthy_diversity: float = LOW_BELOW
    healthy_accuracy: float = HEALTHY_ACCURACY

    def __post_init__(self) -> None:
        limits = self.min_diversity, self.healthy_diversity, self.won_loss
        shares = self.max_near_duplicates, self.won_accuracy, self.healthy_accuracy
        if self.patience < 1 or self.warmup_steps < 0 or min(limits) < 0 or not _are_shares(shares):
            raise ConfigError(
                f"training.rescue: patience={self.patience}, warmup_steps={self.warmup_steps}, limits {limits}, shares {shares}",
                "patience at least 1, warmup_steps and limits at least 0, shares from 0 to 1",
                "fix the number",
            )
        for setting in (setting for remedy in self.remedies for setting in remedy):
            if not setting.startswith(REMEDY_PATHS):
                raise ConfigError(
                    f"training.rescue.remedies: {setting!r}",
                    f"path=value with a path that begins with {', '.join(REMEDY_PATHS)}",
                    "choose such a setting; the others can't change within a run",
                )

    def find_trouble(self, row: Mapping[str, Any], facts: "ObjectiveFacts") -> Trouble | None:
        """What is wrong by a row of metrics.jsonl with diagnostics; None if nothing is."""
        if row["step"] < self.warmup_steps:
            return None
        few = row["diag/diversity"] < self.min_diversity
        if few or row.get("diag/near_duplicates", 0.0) > self.max_near_duplicates:
            return "collapsed"
        if facts.generator_lost_above is None:
            return None
        is_certain = row.get("discriminator/adversarial", 1.0) <= self.won_loss
        is_lost = row.get("generator/adversarial", -math.inf) >= facts.generator_lost_above
        has_won = is_certain and is_lost and facts.accuracy(row) >= self.won_accuracy
        return "discriminator_won" if has_won else None

    def is_healthy(self, row: Mapping[str, Any], facts: "ObjectiveFacts") -> bool:
        """Whether a checkpoint from before this row is worth going back to."""
        is_balanced = facts.generator_lost_above is None or facts.accuracy(row) < self.healthy_accuracy
        return bool(row["diag/diversity"] >= self.healthy_diversity and is_balanced)


@dataclass(frozen=True, kw_only=True)
class ObjectiveFacts:
    """What losses and logits of the run's objective mean.

    Arguments:
        generator_lost_above: the objective's fact of this name; None where losses have no scale: then no discriminator wins.
        has_zero: whether a logit of 0 separates real from generated samples, so that accuracies mean something.
    """

    generator_lost_above: float | None
    has_zero: bool

    def accuracy(self, row: Mapping[str, Any]) -> float:
        """How often the discriminator is right, on real or on generated samples, whichever is less; without a zero its AUC."""
        columns = [f"discriminator/accuracy_{kind}" for kind in ("real", "fake")]
        return min(row.get(name, 0.0) for name in (columns if self.has_zero else ["diag/auc_real_vs_fake"]))


def _are_shares(values: tuple[float, ...]) -> bool:
    return all(0.0 <= value <= 1.0 for value in values)
