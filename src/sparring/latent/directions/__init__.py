"""Directions in the latent space: four ways to find them. Each gives `Direction`s."""

from sparring.latent.directions.closed_form import sefa
from sparring.latent.directions.components import pca
from sparring.latent.directions.gradient import ascend, by_classifier
from sparring.latent.directions.hyperplane import by_judge, by_judge_each, by_labels

__all__ = ["ascend", "by_classifier", "by_judge", "by_judge_each", "by_labels", "pca", "sefa"]
