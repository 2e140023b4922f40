"""Penalties: regularisers of a player's loss; constraints: projections of its weights after a step."""

from sparring.core.interfaces import Constraint
from sparring.parts.penalties.dragan import DRAGAN
from sparring.parts.penalties.gradient_penalty import GradientPenalty
from sparring.parts.penalties.historical_averaging import HistoricalAveraging
from sparring.parts.penalties.r1_r2 import R1, R2
from sparring.parts.penalties.weight_clip import WeightClip

PENALTIES: dict[str, type] = {
    "r1": R1,
    "r2": R2,
    "gradient_penalty": GradientPenalty,
    "dragan": DRAGAN,
    "historical_averaging": HistoricalAveraging,
}

CONSTRAINTS: dict[str, type[Constraint]] = {
    "weight_clip": WeightClip,
}

__all__ = [
    "CONSTRAINTS",
    "PENALTIES",
    "R1",
    "R2",
    "DRAGAN",
    "HistoricalAveraging",
    "GradientPenalty",
    "WeightClip",
]
