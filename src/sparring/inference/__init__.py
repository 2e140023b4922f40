"""Inference with trained models: sampling, translation, reconstruction, classification and the latent space."""

from sparring.inference.tiling import Tiling
from sparring.inference.translation import TranslateOptions, TranslationResult, translate_all, translate_array

__all__ = ["TranslateOptions", "Tiling", "TranslationResult", "translate_all", "translate_array"]
