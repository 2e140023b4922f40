"""What posteriors on the sphere S^d share: codes of length 1 in R^(d+1), the uniform prior, keyed draws."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.distances.sphere import log_surface_area
from sparring.keyed import Draws
from sparring.posteriors.posterior import check_outputs
from sparring.shapes import Latent

LARGEST = 4_096  # d: the formulas are exact at least up to here


class Noise(NamedTuple):
    """The random numbers of draws on a sphere: (b, n) inside of (0, 1), and (b, n, d) standard normal."""

    uniform: Tensor
    normal: Tensor


def direction_and_concentration(raw: Tensor, code: int) -> tuple[Tensor, Tensor]:
    """The mean (b, d + 1), of length 1, and kappa = softplus(raw) + 1 (b,), from the encoder's outputs (b, d + 2)."""
    direction, spread = check_outputs(raw, code + 1).split([code, 1], dim=1)
    return on_sphere(direction), F.softplus(spread.squeeze(1)) + 1


def on_sphere(z: Latent) -> Latent:
    """z / |z|; the first axis for z = 0. Standard normal z become uniform on the sphere."""
    empty = (z.abs().amax(1, keepdim=True) == 0) & (torch.arange(z.shape[1], device=z.device) == 0)
    z = torch.where(empty, torch.ones_like(z), z)
    z = z / z.detach().abs().amax(1, keepdim=True)  # neither huge nor tiny outputs lose their direction
    return F.normalize(z, dim=1)


def draw(draws: Draws, stream: str, count: int, code: int) -> Noise:
    """The noise of `count` draws for each row, with uniform numbers of 48 bits."""
    coarse, fine = draws.uniform(stream + ".angle", count, 2).double().unbind(2)
    return Noise(coarse + (fine + 2.0**-25) * 2.0**-24, draws.normal(stream + ".direction", count, code - 1))


def uniform_log_density(z: Tensor) -> Tensor:
    """log p(z) of the uniform distribution: minus the log of the sphere's area, for codes (..., d + 1)."""
    return z.new_full(z.shape[:-1], -log_surface_area(z.shape[-1]))
