"""Interpolation and arithmetic in the latent space: slerp, closed and open walks, grids, sums of group means.

References:
    Shoemake 1985, "Animating rotation with quaternion curves", doi:10.1145/325334.325242, section 3.3 (slerp).
    White 2016, "Sampling generative networks", arXiv 1609.04468, section 2.1 (spherical for normal latents).
    Radford, Metz & Chintala 2016, arXiv 1511.06434, section 6.3.2 (vector arithmetic).
"""

from typing import Literal, get_args

import torch
from torch import Tensor

from sparring.core.errors import SparringError
from sparring.metrics.path_length import slerp

PathKind = Literal["spherical", "linear"]
MIN_SINE = 1e-4  # sine of the angle below which the linear path is used


def interpolate_at(a: Tensor, b: Tensor, t: Tensor, kind: PathKind = "spherical") -> Tensor:
    """The points at t (n, 1) on the paths from a to b (n, z).

        linear:     (1 - t) a + t b
        spherical:  (sin((1 - t) w) a + sin(t w) b) / sin w,  w the angle between a and b

    Most of a normal distribution in many dimensions lies near the sphere of radius sqrt(z). The spherical path stays there, the
    linear one does not. Where w is 0 or pi, the linear path is used.

    >>> a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> [round(float(v), 4) for v in interpolate_at(a, b, torch.tensor([[0.5]]))[0]]
    [0.7071, 0.7071]
    """
    if kind not in get_args(PathKind):
        raise SparringError(f"path {kind!r}", "spherical or linear", "choose one of these")
    linear = (1 - t) * a + t * b
    if kind == "linear":
        return linear
    lengths = (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-12)
    sine = (1 - ((a * b).sum(1) / lengths).square()).clamp_min(0).sqrt()
    is_parallel = sine[:, None] < MIN_SINE
    return torch.where(is_parallel, linear, slerp(a.double(), b.double(), t.double()).to(a))


def interpolate(a: Tensor, b: Tensor, steps: int, kind: PathKind = "spherical") -> Tensor:
    """The path from a to b (z,), ends included: (steps, z).

    Arguments:
        steps: points, at least 2.
        kind: see `interpolate_at`.
    """
    t = torch.linspace(0, 1, _require_at_least(steps, 2))[:, None].to(a)
    return interpolate_at(a.expand(steps, -1), b.expand(steps, -1), t, kind)


def closed_walk(points: Tensor, steps: int, kind: PathKind = "spherical") -> Tensor:
    """The path from each of the points (k, z) to the next, and from the last to the first: (k steps, z).

    The first point is not repeated at the end, so that a video of it loops without a seam.

    Arguments:
        points: at least 2.
        steps: from one point to the next.
        kind: see `interpolate_at`.
    """
    _require_at_least(len(points), 2)
    t = (torch.arange(_require_at_least(steps, 1)) / steps)[:, None].to(points)
    legs = zip(points, points.roll(-1, 0), strict=True)
    return torch.cat([interpolate_at(a.expand(steps, -1), b.expand(steps, -1), t, kind) for a, b in legs])


def open_walk(points: Tensor, steps: int, kind: PathKind = "spherical") -> Tensor:
    """The path from the first of the points (k, z) to the last, through all: ((k - 1) steps + 1, z)."""
    _require_at_least(len(points), 2)
    return torch.cat([closed_walk(points, steps, kind)[: (len(points) - 1) * steps], points[-1:]])


def interpolate_corners(points: Tensor, rows: int, columns: int, kind: PathKind = "spherical") -> Tensor:
    """A grid between four points (4, z), upper left, upper right, lower left, lower right: (rows columns, z), row by row."""
    if len(points) != 4:
        raise SparringError(f"{len(points)} corners", "4", "name four samples")
    left = interpolate(points[0], points[2], rows, kind)
    right = interpolate(points[1], points[3], rows, kind)
    return torch.cat([interpolate(a, b, columns, kind) for a, b in zip(left, right, strict=True)])


def _require_at_least(count: int, minimum: int) -> int:
    if count < minimum:
        raise SparringError(f"{count} steps or points", f"at least {minimum}", "raise the number")
    return count


def group_mean(group: Tensor) -> Tensor:
    """The mean latent (z,) of a group (n, z), n >= 1."""
    if not len(group):
        raise SparringError("an empty group", "one or more samples", "name some samples")
    return group.mean(0)


def arithmetic(add: list[Tensor], subtract: list[Tensor], typical: bool = True) -> Tensor:
    """Sums and differences of the mean latents of groups: "smiling woman - neutral woman + neutral man" (z,).

        z = sum_g mean(add_g) - sum_h mean(subtract_h)

    Deviation: the result is scaled to the length sqrt(z) of a typical latent; the paper does not scale it (its latents are
    uniform in a cube).

    References:
        Radford, Metz & Chintala 2016, arXiv 1511.06434, section 6.3.2.

    Arguments:
        add: groups (n, z), one or more.
        subtract: groups (n, z), or none.
        typical: scale the result to a typical length.
    """
    if not add:
        raise SparringError("no group to add", "one or more groups", "name some samples")
    z = torch.stack([group_mean(group) for group in add]).sum(0)
    for group in subtract:
        z = z - group_mean(group)
    return to_typical(z) if typical else z


def to_typical(z: Tensor) -> Tensor:
    """Scale latents (..., z) to the length sqrt(z), near which normal latents lie; 0 stays 0.

    >>> float(to_typical(torch.tensor([3.0, 4.0, 0.0, 0.0])).norm())
    2.0
    """
    return z / z.norm(dim=-1, keepdim=True).clamp_min(1e-12) * z.shape[-1] ** 0.5
