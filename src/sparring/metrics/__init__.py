"""Metrics: pure functions on features or samples, real first."""

from sparring.metrics.accuracy import ClassAccuracy, classification_accuracy_score
from sparring.metrics.checked import checked
from sparring.metrics.frechet import Moments, frechet_distance, frechet_of
from sparring.metrics.modes import class_coverage, mode_coverage, stacked_modes
from sparring.metrics.neighbours import precision_recall_density_coverage
from sparring.metrics.parzen import parzen_log_likelihood
from sparring.metrics.path_length import perceptual_path_length
from sparring.metrics.sliced import sliced_wasserstein_distance
from sparring.metrics.structural import ms_ssim, ms_ssim_diversity, psnr, ssim

__all__ = [
    "ClassAccuracy",
    "Moments",
    "checked",
    "class_coverage",
    "classification_accuracy_score",
    "frechet_distance",
    "frechet_of",
    "mode_coverage",
    "ms_ssim",
    "ms_ssim_diversity",
    "parzen_log_likelihood",
    "perceptual_path_length",
    "precision_recall_density_coverage",
    "psnr",
    "sliced_wasserstein_distance",
    "ssim",
    "stacked_modes",
]
