"""Samples of w = <mean, z> for densities on a sphere that depend on w alone: inverse CDF with implicit
reparameterization gradients.

On the sphere in R^m, w has the density p(w) ~ f(w) (1 - w^2)^((m-3)/2). With w = tanh(s) the density is smooth on
the whole line, f(tanh s) / cosh(s)^(m-1), with one mode s0, tanh(s0) = a. With tau = tanh(s - s0),

    w = (a + tau) / (1 + a tau)        1 - w = (1 - a) (1 - tau) / (1 + a tau)        cosh s / cosh s0 = cosh(s - s0) (1 + a tau)

and the curvature of -log p at s0 is between m - 1 and 2 (m - 1) for every concentration, so one set of panels around
the mode, which depends on m alone, is enough. The masses of the panels are computed by Gauss-Legendre quadrature; within a
panel the density is its interpolating polynomial, whose integral is inverted by Newton's method. So a sample needs one
uniform number u and no rejection.

Accuracy: compared with 30 Newton steps, 4 steps give the angle of a sample with u > 1e-4 to 1e-9 of its standard
deviation, for m from 2 to 1,025 and concentrations from 0.1 to 3e4. For smaller u the errors grow: 1e-3 standard
deviations at u = 1e-5, 0.1 at 1e-6, and a whole one below 1e-6 at m = 2 and below 1e-7 at m = 3.

The gradient of a sample is the implicit one,

    dw / dconcentration = -(dF(w) / dconcentration) / p(w)

in which dF is the same quadrature over (score - mean score) p. The gradient through the accepted proposals of
a rejection sampler, as in the published code of the hyperspherical VAE, lacks a correction term (Naesseth et
al.) and is biased.

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

NUM_PANELS, NODES_PER_PANEL, NEWTON_STEPS = 24, 8, 4
STRETCH = 2.0  # distance from the mode, in 1 / sqrt(m - 1), at which panels begin to widen
TAIL_NATS = 24.0  # nats below the mode at which the panels end: a mass of 1e-10


class QuadraturePanels(NamedTuple):
    """Panels over delta = s - s0 for a dimension m, and functions of delta at their nodes (panels * nodes)."""

    edges: Tensor  # (panels + 1,)
    tau: Tensor  # tanh(delta)
    above: Tensor  # 1 + tau, without cancellation
    log_above: Tensor
    log_cosh: Tensor
    weights: Tensor  # (panels * nodes, panels + 1): the quadrature up to each edge
    integrals: Tensor  # (nodes, nodes): powers 1, 2, ... of the integral from 0 to x of each node's Lagrange polynomial
    degrees: Tensor  # (nodes,): 1, 2, ...


class CosineDensity(NamedTuple):
    """A density over s at the panels' nodes: the mode a = tanh(s0) and 1 - a, both (b, 1), the log density and the score."""

    mode: Tensor
    gap: Tensor
    log_density: Tensor  # log p up to a constant (b, panels * nodes)
    score: Tensor  # d log p / d concentration, up to a constant


CosineDensityFunction = Callable[
    [Tensor, int, QuadraturePanels], CosineDensity
]  # from concentrations (b, 1) and m


@cache
def quadrature_panels(dimension: int, device: torch.device) -> QuadraturePanels:
    """Panels up to where 1 / cosh(s)^(m-1), the widest of the densities, has fallen by `TAIL_NATS`; narrowest at the mode."""
    half_width = math.acosh(math.exp(TAIL_NATS / (dimension - 1)))
    stretch = math.asinh(half_width * math.sqrt(dimension - 1) / STRETCH)
    edges = np.sinh(np.linspace(-1, 1, NUM_PANELS + 1) * stretch) * (half_width / math.sinh(stretch))
    nodes, weights = np.polynomial.legendre.leggauss(NODES_PER_PANEL)
    places, widths = (nodes + 1) / 2, np.diff(edges)[:, None]
    delta = (edges[:-1, None] + places * widths).reshape(-1)
    integrals = np.linalg.inv(np.vander(places, increasing=True)).T / np.arange(1, NODES_PER_PANEL + 1)
    log_cosh = np.logaddexp(delta, -delta) - math.log(2)
    log_above = delta - log_cosh
    left_of = np.arange(NUM_PANELS)[:, None, None] < np.arange(NUM_PANELS + 1)
    upto = ((weights / 2 * widths)[:, :, None] * left_of).reshape(-1, NUM_PANELS + 1)
    rows = (
        edges,
        np.tanh(delta),
        np.exp(log_above),
        log_above,
        log_cosh,
        upto,
        integrals,
        np.arange(1, NODES_PER_PANEL + 1),
    )
    return QuadraturePanels(*(torch.tensor(row, dtype=torch.float64, device=device) for row in rows))


class _InverseCDF(torch.autograd.Function):
    """(concentration (b,), uniform (b, n)) -> w and sqrt(1 - w^2), each (b, n); differentiable in the concentration."""

    @staticmethod
    def forward(
        ctx: Any, concentration: Tensor, uniform: Tensor, dimension: int, family: CosineDensityFunction
    ) -> tuple[Tensor, Tensor]:
        grid = quadrature_panels(dimension, concentration.device)
        mode, gap, log_density, score = family(concentration.unsqueeze(1), dimension, grid)
        density = log_density.exp_()
        edge, cumulative_score = density @ grid.weights, (density * score) @ grid.weights
        mean_score = cumulative_score[:, -1:] / edge[:, -1:]
        cumulative_score = cumulative_score - mean_score * edge
        target = uniform * edge[:, -1:]
        panel = (torch.searchsorted(edge, target, right=True) - 1).clamp_(0, NUM_PANELS - 1)
        here, there = grid.edges[panel], grid.edges[panel + 1]
        density, score = (_gather_panel(each, panel) for each in (density, score))
        inside = density @ grid.integrals
        x = _solve_polynomial(inside, (target - edge.gather(1, panel)) / (there - here), grid.degrees)
        powers = _powers(x)
        # the density, bounded away from zero in the outermost panels, and the derivative of F in the concentration
        pdf = torch.maximum((inside * powers * grid.degrees).sum(2) / x, 1e-4 * inside.sum(2))
        shift = ((density * (score - mean_score.unsqueeze(2))) @ grid.integrals * powers).sum(2) * (
            there - here
        )
        rate = (cumulative_score.gather(1, panel) + shift) / pdf  # -ds / dconcentration
        delta = here + x * (there - here)
        tau = torch.tanh(delta)
        below = gap + mode * torch.exp(delta) / torch.cosh(delta)  # 1 + a tau
        w, sine = (mode + tau) / below, (gap * (1 + mode)).sqrt() / (torch.cosh(delta) * below)
        ctx.save_for_backward(-rate * sine**2, rate * w * sine)
        return w, sine

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, for_w: Tensor, for_sine: Tensor) -> tuple[Tensor, None, None, None]:
        w_derivative, sine_derivative = ctx.saved_tensors
        return (for_w * w_derivative + for_sine * sine_derivative).sum(1), None, None, None


def _gather_panel(values: Tensor, panel: Tensor) -> Tensor:
    """The values (b, n, nodes) at the nodes of the panels (b, n)."""
    return values.unflatten(1, (NUM_PANELS, NODES_PER_PANEL)).gather(
        1, panel.unsqueeze(2).expand(-1, -1, NODES_PER_PANEL)
    )


def _powers(x: Tensor) -> Tensor:
    """x, x^2, ... (b, n, nodes)."""
    return x.unsqueeze(2).expand(-1, -1, NODES_PER_PANEL).cumprod(2)


def _solve_polynomial(coefficients: Tensor, target: Tensor, degrees: Tensor) -> Tensor:
    """The x from 0 to 1 at which the increasing polynomial (b, n, nodes) without constant term has the value `target`.

    Newton's method, started from the solution for an exponential with the same derivatives at both ends and the same end value.
    """
    derivative = coefficients * degrees
    both = torch.stack((coefficients, derivative), 2)
    end, last = both.sum(3).unbind(2)
    growth = (last / derivative[:, :, 0]).nan_to_num(1.0).clamp_(1e-6, 1e6).log_()
    growth = torch.where(growth.abs() < 1e-3, 1e-3, growth)
    x = (torch.log1p(target / end * torch.expm1(growth)) / growth).clamp_(1e-12, 1)
    for _ in range(NEWTON_STEPS):
        value, x_derivative = (both @ _powers(x).unsqueeze(3)).squeeze(3).unbind(2)  # x_derivative = x F'(x)
        x = torch.addcdiv(x, x * (value - target), x_derivative, value=-1).clamp_(1e-12, 1)
    return x


def sample_cosines(
    concentration: Tensor, uniform: Tensor, dimension: int, family: CosineDensityFunction
) -> tuple[Tensor, Tensor]:
    """w = <mean, z> and sqrt(1 - w^2), each (b, n) in float64, differentiable in the concentration.

    Arguments:
        concentration: (b,), not negative.
        uniform: (b, n), inside of (0, 1).
        dimension: m of the surrounding R^m, at least 2.
        family: computes the density from the concentrations, m and the panels.
    """
    w, sine = _InverseCDF.apply(concentration.double(), uniform.double(), dimension, family)
    return w, sine
