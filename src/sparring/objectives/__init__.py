"""Objectives: what the two players want. One file each; a new one is a file here and a row in the table."""

from sparring.objectives.auxiliary import auxiliary_fake, auxiliary_real
from sparring.objectives.feature_matching import FeatureMatching
from sparring.objectives.hinge import Hinge
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.minimax import Minimax
from sparring.objectives.nonsaturating import NonSaturating
from sparring.objectives.relativistic import Relativistic
from sparring.objectives.wasserstein import Wasserstein
from sparring.roles import Objective

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
    "auxiliary_fake",
    "auxiliary_real",
]
