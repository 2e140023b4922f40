"""Penalties: what a player must not do; constraints: what is done to its weights after a step."""

from sparring.penalties.dragan import Dragan
from sparring.penalties.historical import Historical
from sparring.penalties.one_centred import OneCentred
from sparring.penalties.weight_clip import WeightClip
from sparring.penalties.zero_centred import R1, R2
from sparring.roles import Constraint

PENALTIES: dict[str, type] = {
    "r1": R1,
    "r2": R2,
    "one_centred": OneCentred,
    "dragan": Dragan,
    "historical": Historical,
}

CONSTRAINTS: dict[str, type[Constraint]] = {
    "weight_clip": WeightClip,
}

__all__ = ["CONSTRAINTS", "PENALTIES", "R1", "R2", "Dragan", "Historical", "OneCentred", "WeightClip"]
