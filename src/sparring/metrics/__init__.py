"""Metrics: pure functions on features or samples, real first."""

from sparring.metrics.checked import checked
from sparring.metrics.frechet import Moments, frechet_distance, frechet_of
from sparring.metrics.neighbours import precision_recall_density_coverage

__all__ = [
    "Moments",
    "checked",
    "frechet_distance",
    "frechet_of",
    "precision_recall_density_coverage",
]
