"""Penalties: regularisers of a player's loss; constraints: projections of its weights after an update.

One file per idea; a new one is a file here and a row in the table.
"""

from collections.abc import Sequence

from sparring.core.adversarial_batch import AdversarialBatch
from sparring.core.errors import ConfigError
from sparring.core.interfaces import Constraint, Penalty
from sparring.core.shapes import PerSample
from sparring.parts.penalties.dragan import DRAGAN
from sparring.parts.penalties.gradient_penalty import GradientPenalty
from sparring.parts.penalties.historical_averaging import HistoricalAveraging
from sparring.parts.penalties.lecam import LeCam
from sparring.parts.penalties.r1_r2 import R1, R2
from sparring.parts.penalties.weight_clip import WeightClip

PENALTIES: dict[str, type[Penalty]] = {
    "r1": R1,
    "r2": R2,
    "gradient_penalty": GradientPenalty,
    "dragan": DRAGAN,
    "historical_averaging": HistoricalAveraging,
    "lecam": LeCam,
}

CONSTRAINTS: dict[str, type[Constraint]] = {
    "weight_clip": WeightClip,
}


def penalty_tag(penalty: Penalty) -> str:
    """The tag of a penalty in `PENALTIES`, under which its loss is recorded.

    >>> penalty_tag(GradientPenalty())
    'gradient_penalty'

    Raises:
        ConfigError: its class is not in the table.
    """
    for tag, cls in PENALTIES.items():
        if type(penalty) is cls:
            return tag
    got = f"the penalty {type(penalty).__name__}"
    raise ConfigError(
        got, f"one of {', '.join(PENALTIES)}", "add it to PENALTIES in sparring/parts/penalties"
    )


def check_distinct_penalties(penalties: Sequence[Penalty], setting: str) -> None:
    """Raises ConfigError for two penalties of one type, whose losses would share a name in the record."""
    tags = [penalty_tag(penalty) for penalty in penalties]
    for tag in tags:
        if tags.count(tag) > 1:
            got = f"{setting}: {tags.count(tag)} penalties of type {tag}"
            raise ConfigError(got, "at most one of each type", "combine their weights in one penalty")


def due_penalties(penalties: Sequence[Penalty], step: int) -> list[Penalty]:
    """The penalties that are applied in this step."""
    return [penalty for penalty in penalties if step % penalty.every == 0]


def penalty_losses(penalties: Sequence[Penalty], batch: AdversarialBatch) -> dict[str, PerSample]:
    """The penalties that are due in the batch's step, by tag, each multiplied by its `every` (b,)."""
    due = due_penalties(penalties, batch.batch.step)
    return {penalty_tag(penalty): penalty.every * penalty(batch) for penalty in due}


__all__ = [
    "CONSTRAINTS",
    "PENALTIES",
    "R1",
    "R2",
    "DRAGAN",
    "HistoricalAveraging",
    "GradientPenalty",
    "LeCam",
    "WeightClip",
    "check_distinct_penalties",
    "due_penalties",
    "penalty_losses",
    "penalty_tag",
]
