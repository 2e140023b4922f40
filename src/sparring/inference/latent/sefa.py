"""SeFa: directions that the generator's first layer amplifies most, found without samples."""

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.inference.latent.decoding import activations, sample_latents
from sparring.inference.latent.direction import Direction
from sparring.models.generator import GeneratorModel

# where the Jacobian is computed, and the step of its finite differences; neither matters for a linear layer
NUM_LATENTS, FINITE_DIFFERENCE = 8, 0.5


def sefa_directions(generation: GeneratorModel, count: int = 5, seed: int = 0) -> list[Direction]:
    """SeFa: the latent directions along which the output of the first layer changes most.

        v_1, v_2 ... = eigenvectors of A^T A with the largest eigenvalues,  A the first layer's weight (z to h)

    Deviation: A^T A is the mean of J^T J over some latents, J the Jacobian of the layer by finite differences. Where the layer is
    linear in z this is A^T A itself; it also works with Fourier features or a prior's map before the first layer.

    References:
        Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs", arXiv 2007.06600, Eq. 5 to 7.

    Arguments:
        count: number of directions, at most z.
        seed: of the latents at which the Jacobian is computed.

    Returns:
        Directions in the order of falling eigenvalues, each with its `share` of their sum in the statistics.
    """
    size = generation.latent
    if not 1 <= count <= size:
        raise SparringError(f"{count} directions", f"1 to {size}", "fix the count")
    moments = torch.zeros(size, size, dtype=torch.float64)
    for z in sample_latents(generation, seed, range(NUM_LATENTS)):
        jacobian = _jacobian(generation, z)
        moments += jacobian @ jacobian.t() / NUM_LATENTS
    values, vectors = torch.linalg.eigh(moments)
    total = float(values.sum().clamp_min(1e-30))
    best = [(float(values[-1 - k]) / total, fix_sign(vectors[:, -1 - k])) for k in range(count)]
    return [
        Direction(name=f"sefa {number}", kind="sefa", vector=vector.float(), statistics={"share": share})
        for number, (share, vector) in enumerate(best)
    ]


def _jacobian(generation: GeneratorModel, z: Tensor) -> Tensor:
    """J^T (z, h) of the first layer at z (z,), by central differences."""
    steps = torch.eye(len(z)) * FINITE_DIFFERENCE
    y = None if not generation.spec.num_classes else torch.zeros(len(z), dtype=torch.int64)
    ahead, behind = (activations(generation, z + sign * steps, y).double() for sign in (1, -1))
    return (ahead - behind) / (2 * FINITE_DIFFERENCE)


def fix_sign(vector: Tensor) -> Tensor:
    """Flip a vector, if needed, so that its entry of largest magnitude is positive."""
    return vector * vector[vector.abs().argmax()].sign()
