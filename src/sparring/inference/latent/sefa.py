"""SeFa: directions that the generator's first layer amplifies most, found without samples."""

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.inference.latent.decoding import activations, sample_latents
from sparring.inference.latent.direction import Direction
from sparring.models.generator import GeneratorModel

NUM_LATENTS, FINITE_DIFFERENCE = (
    8,
    0.5,
)  # where the gradient is taken, and over how far; for a linear layer both are all the same


def sefa_directions(generation: GeneratorModel, count: int = 5, seed: int = 0) -> list[Direction]:
    """The latent directions along which the first layer changes most.

        v_1, v_2 ... = eigenvectors of A^T A with the largest eigenvalues,  A the first layer's weight (z to h)

    Deviation: A^T A is the mean of J^T J at some latents, J the layer's gradient by differences; where the layer is linear in z this
    is A^T A itself. It holds for generators with waves of the latent or with a prior before the first layer, too.

    References:
        Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs", arXiv 2007.06600, Eq. 5 to 7.

    Arguments:
        count: directions, at most z.
        seed: of the places where the gradient is taken.

    Returns:
        Directions by size, each with `share`, its part of all that the layer amplifies.
    """
    size = generation.latent
    if not 1 <= count <= size:
        raise SparringError(f"{count} directions", f"1 to {size}", "fix the number")
    moments = torch.zeros(size, size, dtype=torch.float64)
    for place in sample_latents(generation, seed, range(NUM_LATENTS)):
        slope = _jacobian(generation, place)
        moments += slope @ slope.t() / NUM_LATENTS
    values, vectors = torch.linalg.eigh(moments)
    total = float(values.sum().clamp_min(1e-30))
    best = [(float(values[-1 - k]) / total, fix_sign(vectors[:, -1 - k])) for k in range(count)]
    return [
        Direction(name=f"sefa {number}", kind="sefa", vector=vector.float(), statistics={"share": share})
        for number, (share, vector) in enumerate(best)
    ]


def _jacobian(generation: GeneratorModel, place: Tensor) -> Tensor:
    """J^T (z, h) of the first layer."""
    moved = torch.eye(len(place)) * FINITE_DIFFERENCE
    y = None if not generation.spec.num_classes else torch.zeros(len(place), dtype=torch.int64)
    ahead, behind = (activations(generation, place + sign * moved, y).double() for sign in (1, -1))
    return (ahead - behind) / (2 * FINITE_DIFFERENCE)


def fix_sign(vector: Tensor) -> Tensor:
    """A vector or its opposite, such that the entry of largest size is positive."""
    return vector * vector[vector.abs().argmax()].sign()
