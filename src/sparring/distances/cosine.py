"""Draws of w = <mean, z> for densities on a sphere that depend on w alone, by inverting their distribution function.

On the sphere in R^m, w has the density p(w) ~ f(w) (1 - w^2)^((m-3)/2). With w = tanh(s) it becomes smooth on the whole line,
f(tanh s) / cosh(s)^(m-1), with one mode s0, tanh(s0) = a. Around it, with tau = tanh(s - s0),

    w = (a + tau) / (1 + a tau)        1 - w = (1 - a) (1 - tau) / (1 + a tau)        cosh s / cosh s0 = cosh(s - s0) (1 + a tau)

and the curvature of -log p at s0 lies between m - 1 and 2 (m - 1), whatever the concentration: one set of panels around the
mode, fixed for m, serves them all. The masses of the panels come from Gauss-Legendre quadrature; within a panel the density is
its interpolating polynomial, whose integral is inverted by Newton's method. So a draw takes one uniform number, no rejection,
and its gradient is the implicit one,

    dw / dconcentration = -(dF(w) / dconcentration) / p(w)

in which dF is the same quadrature over (score - mean score) p. The gradient through the accepted proposals of a rejection
sampler, as in the published code of the hyperspherical VAE, lacks a correction term (Naesseth et al.) and is biased.

References:
    Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization gradients", arXiv 1805.08498, sec. 3.
    Naesseth et al. 2017, "Reparameterization gradients through acceptance-rejection sampling algorithms", arXiv 1610.05683.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

PANELS, NODES, NEWTON = 24, 8, 8
STRETCH = 2.0  # how far from the mode, in 1 / sqrt(m - 1), panels begin to widen
TAIL = 24.0  # nats below the mode at which the panels end: a mass of 1e-10


class Panels(NamedTuple):
    """What is fixed for a dimension m: panels over delta = s - s0, and at their nodes (panels * nodes) functions of it."""

    edges: Tensor  # (panels + 1,)
    tau: Tensor  # tanh(delta)
    above: Tensor  # 1 + tau, without cancellation
    log_above: Tensor
    log_cosh: Tensor
    weights: Tensor  # (panels, nodes) of the quadrature
    integrals: Tensor  # (nodes, nodes): powers 1, 2, ... of the integral from 0 to x of each node's Lagrange polynomial


class Shape(NamedTuple):
    """A density over s at the panels' nodes: the mode a = tanh(s0) and 1 - a, both (b, 1), log p up to a constant, and score."""

    mode: Tensor
    gap: Tensor
    log_density: Tensor  # (b, panels * nodes)
    score: Tensor  # d log p / d concentration, up to a constant


Family = Callable[[Tensor, int, Panels], Shape]  # from concentrations (b, 1) and m


@cache
def panels(dimension: int, device: torch.device) -> Panels:
    """Panels that end where 1 / cosh(s)^(m-1), the widest of all shapes, has fallen by `TAIL`; narrower at the mode."""
    half_width = math.acosh(math.exp(TAIL / (dimension - 1)))
    stretch = math.asinh(half_width * math.sqrt(dimension - 1) / STRETCH)
    edges = np.sinh(np.linspace(-1, 1, PANELS + 1) * stretch) * (half_width / math.sinh(stretch))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    places, widths = (nodes + 1) / 2, np.diff(edges)[:, None]
    delta = (edges[:-1, None] + places * widths).reshape(-1)
    integrals = np.linalg.inv(np.vander(places, increasing=True)).T / np.arange(1, NODES + 1)
    log_cosh = np.logaddexp(delta, -delta) - math.log(2)
    log_above = delta - log_cosh
    rows = (edges, np.tanh(delta), np.exp(log_above), log_above, log_cosh, weights / 2 * widths, integrals)
    return Panels(*(torch.tensor(row, dtype=torch.float64, device=device) for row in rows))


class _Inverse(torch.autograd.Function):
    """(concentration (b,), uniform (b, n)) -> w and sqrt(1 - w^2), each (b, n); differentiable in the concentration."""

    @staticmethod
    def forward(
        ctx: Any, concentration: Tensor, uniform: Tensor, dimension: int, family: Family
    ) -> tuple[Tensor, Tensor]:
        grid = panels(dimension, concentration.device)
        mode, gap, log_density, score = family(concentration.unsqueeze(1), dimension, grid)
        density, score = (each.unflatten(1, (PANELS, NODES)) for each in (log_density.exp(), score))
        mass = density * grid.weights
        score = score - (mass * score).sum((1, 2), keepdim=True) / mass.sum((1, 2), keepdim=True)
        edge, moving = _cumulated(mass), _cumulated(mass * score)
        target = uniform * edge[:, -1:]
        panel = (torch.searchsorted(edge, target, right=True) - 1).clamp_(0, PANELS - 1)
        chosen, width = panel.unsqueeze(2).expand(-1, -1, NODES), grid.edges.diff()[panel]
        inside = density.gather(1, chosen) @ grid.integrals
        x = _solve(inside, (target - edge.gather(1, panel)) / width)
        powers = _powers(x)
        slope = (inside * powers * _degrees(x)).sum(
            2
        ) / x  # the density, held off zero in the outermost panels
        slope = torch.maximum(slope, 1e-4 * inside.sum(2))
        moved = ((density * score).gather(1, chosen) @ grid.integrals * powers).sum(2) * width
        rate = (moving.gather(1, panel) + moved) / slope  # -ds / dconcentration
        delta = grid.edges[panel] + x * width
        tau = torch.tanh(delta)
        below = gap + mode * torch.exp(delta) / torch.cosh(delta)  # 1 + a tau
        w, sine = (mode + tau) / below, (gap * (1 + mode)).sqrt() / (torch.cosh(delta) * below)
        ctx.save_for_backward(-rate * sine**2, rate * w * sine)
        return w, sine

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_w: Tensor, for_sine: Tensor) -> tuple[Tensor, None, None, None]:
        w_slope, sine_slope = ctx.saved_tensors
        return (for_w * w_slope + for_sine * sine_slope).sum(1), None, None, None


def _cumulated(mass: Tensor) -> Tensor:
    """Integrals from the left up to each edge (b, panels + 1)."""
    return torch.nn.functional.pad(mass.sum(2).cumsum(1), (1, 0))


def _powers(x: Tensor) -> Tensor:
    """x, x^2, ... (b, n, nodes)."""
    return x.unsqueeze(2).expand(-1, -1, NODES).cumprod(2)


def _degrees(x: Tensor) -> Tensor:
    return torch.arange(1, NODES + 1, dtype=x.dtype, device=x.device)


def _solve(coefficients: Tensor, target: Tensor) -> Tensor:
    """The x from 0 to 1 at which the increasing polynomial (b, n, nodes) without constant term has the value `target`."""
    sloped = coefficients * _degrees(target)
    x = (target / coefficients.sum(2)).clamp_(1e-12, 1)
    for _ in range(NEWTON):
        powers = _powers(x)
        excess = (coefficients * powers).sum(2) - target
        x = (x - x * excess / (sloped * powers).sum(2)).clamp_(1e-12, 1)
    return x


def cosines(concentration: Tensor, uniform: Tensor, dimension: int, family: Family) -> tuple[Tensor, Tensor]:
    """w = <mean, z> and sqrt(1 - w^2), each (b, n) in float64, differentiable in the concentration.

    Arguments:
        concentration: (b,), not negative.
        uniform: (b, n), inside of (0, 1).
        dimension: m of the surrounding R^m, at least 2.
        family: the shape of the density, as `von_mises_fisher.shape`.
    """
    w, sine = _Inverse.apply(concentration.double(), uniform.double(), dimension, family)
    return w, sine
