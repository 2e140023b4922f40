"""Metrics: pure functions on features or samples, real first."""

from sparring.metrics.authenticity import NearestReal, authenticity, nearest_real
from sparring.metrics.checks import check_features
from sparring.metrics.class_frechet import ClassFrechetDistances, class_frechet_distance
from sparring.metrics.classification_accuracy import ClassificationAccuracy, classification_accuracy_score
from sparring.metrics.data_copying import data_copying
from sparring.metrics.frechet import Moments, frechet_distance, frechet_from_moments
from sparring.metrics.frechet_infinity import frechet_infinity
from sparring.metrics.inception_score import inception_score
from sparring.metrics.kernel_mmd import kernel_distance
from sparring.metrics.likelihood import LatentLikelihood, latent_log_likelihood
from sparring.metrics.mode_coverage import class_coverage, mode_coverage, stacked_modes
from sparring.metrics.paired import edge_drift, feature_distance, l1
from sparring.metrics.parzen import parzen_log_likelihood
from sparring.metrics.path_length import perceptual_path_length
from sparring.metrics.precision_recall import precision_recall_density_coverage
from sparring.metrics.sliced_wasserstein import sliced_wasserstein_distance
from sparring.metrics.ssim import ms_ssim, ms_ssim_diversity, psnr, ssim

__all__ = [
    "ClassificationAccuracy",
    "NearestReal",
    "LatentLikelihood",
    "Moments",
    "ClassFrechetDistances",
    "authenticity",
    "check_features",
    "class_coverage",
    "class_frechet_distance",
    "classification_accuracy_score",
    "data_copying",
    "edge_drift",
    "feature_distance",
    "frechet_distance",
    "frechet_infinity",
    "frechet_from_moments",
    "inception_score",
    "kernel_distance",
    "l1",
    "latent_log_likelihood",
    "mode_coverage",
    "ms_ssim",
    "ms_ssim_diversity",
    "nearest_real",
    "parzen_log_likelihood",
    "perceptual_path_length",
    "precision_recall_density_coverage",
    "psnr",
    "sliced_wasserstein_distance",
    "ssim",
    "stacked_modes",
]
