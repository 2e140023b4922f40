"""The latent space of a generator: interpolation, arithmetic, directions, and inversion of images. Also reachable
as `sparring.latent`.

Functions here take the model (`sparring.load(RUN).generator.generation`) and latents z (n, z) on the CPU;
classes y are (n,) integers or (n, classes) weights of a blend. `walk`, `grid`, `mix`, `morph`, `edit`,
`latents_and_labels` and `decode_images` take a `sparring.Run` and return images.
"""

from sparring.inference.latent.attributes import (
    AttributeScorer,
    ClassScorer,
    CombinedScorer,
    StatisticsScorer,
)
from sparring.inference.latent.decoding import can_blend, decode, sample_latents, to_class_weights
from sparring.inference.latent.direction import Direction, load_directions, save_directions, select_direction
from sparring.inference.latent.effects import Effect, measure_direction, measure_strengths
from sparring.inference.latent.encoder import (
    FittedEncoder,
    fit_encoder,
    load_encoder,
    model_encoder,
    save_encoder,
)
from sparring.inference.latent.gradient_ascent import ascend, direction_from_gradient
from sparring.inference.latent.images import decode_images, edit, grid, latents_and_labels, mix, morph, walk
from sparring.inference.latent.interpolation import (
    arithmetic,
    closed_walk,
    group_mean,
    interpolate,
    interpolate_at,
    interpolate_corners,
    open_walk,
    to_typical,
)
from sparring.inference.latent.inversion import Inversion, InversionOptions, invert, with_hard_labels
from sparring.inference.latent.latents_file import load_latents, save_latents
from sparring.inference.latent.linear_classifier import (
    direction_from_labels,
    direction_from_scores,
    directions_from_scores,
)
from sparring.inference.latent.pca import pca_directions
from sparring.inference.latent.sefa import sefa_directions

__all__ = [
    "AttributeScorer",
    "ClassScorer",
    "CombinedScorer",
    "Direction",
    "Effect",
    "FittedEncoder",
    "Inversion",
    "InversionOptions",
    "StatisticsScorer",
    "arithmetic",
    "ascend",
    "can_blend",
    "closed_walk",
    "decode",
    "decode_images",
    "direction_from_gradient",
    "direction_from_labels",
    "direction_from_scores",
    "directions_from_scores",
    "edit",
    "fit_encoder",
    "grid",
    "group_mean",
    "interpolate",
    "interpolate_at",
    "interpolate_corners",
    "invert",
    "latents_and_labels",
    "load_directions",
    "load_encoder",
    "load_latents",
    "measure_direction",
    "measure_strengths",
    "mix",
    "model_encoder",
    "morph",
    "open_walk",
    "pca_directions",
    "sample_latents",
    "save_directions",
    "save_encoder",
    "save_latents",
    "sefa_directions",
    "select_direction",
    "to_class_weights",
    "to_typical",
    "walk",
    "with_hard_labels",
]
