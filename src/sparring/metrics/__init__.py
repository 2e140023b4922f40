"""Metrics: pure functions on features or samples, real first."""

from sparring.metrics.accuracy import ClassAccuracy, classification_accuracy_score
from sparring.metrics.authenticity import Closest, authenticity, nearest
from sparring.metrics.checked import checked
from sparring.metrics.classes import PerClass, class_frechet_distance
from sparring.metrics.copying import data_copying
from sparring.metrics.frechet import Moments, frechet_distance, frechet_of
from sparring.metrics.inception import inception_score
from sparring.metrics.infinite import frechet_infinity
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.likelihood import LatentLikelihood, latent_log_likelihood
from sparring.metrics.modes import class_coverage, mode_coverage, stacked_modes
from sparring.metrics.neighbours import precision_recall_density_coverage
from sparring.metrics.paired import edge_drift, feature_distance, l1
from sparring.metrics.parzen import parzen_log_likelihood
from sparring.metrics.path_length import perceptual_path_length
from sparring.metrics.sliced import sliced_wasserstein_distance
from sparring.metrics.structural import ms_ssim, ms_ssim_diversity, psnr, ssim

__all__ = [
    "ClassAccuracy",
    "Closest",
    "LatentLikelihood",
    "Moments",
    "PerClass",
    "authenticity",
    "checked",
    "class_coverage",
    "class_frechet_distance",
    "classification_accuracy_score",
    "data_copying",
    "edge_drift",
    "feature_distance",
    "frechet_distance",
    "frechet_infinity",
    "frechet_of",
    "inception_score",
    "kernel_distance",
    "l1",
    "latent_log_likelihood",
    "mode_coverage",
    "ms_ssim",
    "ms_ssim_diversity",
    "nearest",
    "parzen_log_likelihood",
    "perceptual_path_length",
    "precision_recall_density_coverage",
    "psnr",
    "sliced_wasserstein_distance",
    "ssim",
    "stacked_modes",
]
