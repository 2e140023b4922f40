"""Objectives: the losses of discriminator and generator. One file per paper; a new one is a file here and a row in the table,
with its facts (`logit_scale`, `generator_lost_above`) on its class.
"""

from sparring.core.interfaces import Objective
from sparring.parts.objectives.auxiliary import auxiliary_fake_loss, auxiliary_real_loss
from sparring.parts.objectives.feature_matching import FeatureMatching
from sparring.parts.objectives.hinge import Hinge
from sparring.parts.objectives.least_squares import LeastSquares
from sparring.parts.objectives.minimax import Minimax
from sparring.parts.objectives.nonsaturating import NonSaturating
from sparring.parts.objectives.relativistic import Relativistic
from sparring.parts.objectives.wasserstein import Wasserstein

OBJECTIVES: dict[str, type[Objective]] = {
    "minimax": Minimax,
    "nonsaturating": NonSaturating,
    "least_squares": LeastSquares,
    "wasserstein": Wasserstein,
    "hinge": Hinge,
    "relativistic": Relativistic,
    "feature_matching": FeatureMatching,
}

__all__ = [
    "OBJECTIVES",
    "FeatureMatching",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "Wasserstein",
    "auxiliary_fake_loss",
    "auxiliary_real_loss",
]
