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
    """GANSpace: principal components of a layer's activations, mapped back to the latent space by least squares.

        X = (A - mean) V,  the scores of n samples on the components V of their activations A
        U = argmin_U sum_j |U x_j - z_j|^2,  whose columns are the directions

    Scores of different components are orthogonal, so that the columns are u_k = sum_j x_jk z_j / sum_j x_jk^2.

    References:
        Haerkoenen, Hertzmann, Lehtinen & Paris 2020, "GANSpace: discovering interpretable GAN controls", arXiv 2004.02546,
            section 2.2 and Eq. 3 (BigGAN).

    Arguments:
        count: number of directions, at most z.
        n: number of samples, more than `count`.
        layer: index of the layer among those with weights, in the order in which they run. Layer 0 is linear in most
            generators, where its components are close to the directions of `sefa_directions`.
        seed: of the samples.

    Returns:
        Directions in the order of falling variance, each with its `share` of it in the statistics.
    """
    if not 1 <= count <= min(generation.latent, n - 1):
        raise SparringError(
            f"{count} directions of {n} samples", f"1 to {min(generation.latent, n - 1)}", "fix the count"
        )
    z, y = sample_latents(generation, seed, range(n)), generation.draw_labels(seed, range(n))
    hidden = activations(generation, z, y, layer)
    centred = hidden - hidden.mean(0)
    values, vectors = torch.linalg.eigh((centred @ centred.t()).double())
    total = float(values.sum().clamp_min(1e-30))
    directions = []
    for number in range(count):
        scores = vectors[:, -1 - number]
        vector = fix_sign(scores @ (z - z.mean(0)).double())
        share = {"share": float(values[-1 - number]) / total}
        directions.append(
            Direction(name=f"pca {number}", kind="pca", vector=vector.float(), statistics=share)
        )
    return directions
