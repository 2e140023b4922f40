"""GANSpace: directions along which the activations of generated samples vary most (PCA)."""

import torch

from sparring.core.errors import SparringError
from sparring.inference.latent.decoding import activations, sample_latents
from sparring.inference.latent.direction import Direction
from sparring.inference.latent.sefa import fix_sign
from sparring.models.generator import GeneratorModel


def pca_directions(
    generation: GeneratorModel, count: int = 5, *, n: int = 1_000, layer: int = 1, seed: int = 0
) -> list[Direction]:
    """Principal components of a layer's activations, carried back to the latent space.

        X = (A - mean) V,  the scores of n samples on the components V of their activations A
        U = argmin_U sum_j |U x_j - z_j|^2,  whose columns are the directions

    The components of orthogonal scores are fitted one by one: u_k = sum_j x_jk z_j / sum_j x_jk^2.

    References:
        Haerkoenen, Hertzmann, Lehtinen & Paris 2020, "GANSpace: discovering interpretable GAN controls", arXiv 2004.02546,
            section 2.2 and Eq. 3 (BigGAN).

    Arguments:
        count: directions, at most z.
        n: samples, more than `count`.
        layer: with weights, in the order in which they are played, from 0. The first one is linear in most generators: its
            components are nearly those of `sefa`.
        seed: of the samples.

    Returns:
        Directions by variance, each with `share` of it.
    """
    if not 1 <= count <= min(generation.latent, n - 1):
        raise SparringError(
            f"{count} directions of {n} samples", f"1 to {min(generation.latent, n - 1)}", "fix the numbers"
        )
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    seen = activations(generation, z, y, layer)
    centred = seen - seen.mean(0)
    values, vectors = torch.linalg.eigh((centred @ centred.t()).double())
    total = float(values.sum().clamp_min(1e-30))
    found = []
    for number in range(count):
        scores = vectors[:, -1 - number]
        vector = fix_sign(scores @ (z - z.mean(0)).double())
        share = {"share": float(values[-1 - number]) / total}
        found.append(Direction(name=f"pca {number}", kind="pca", vector=vector.float(), statistics=share))
    return found
