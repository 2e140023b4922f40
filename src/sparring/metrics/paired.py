"""How far each picture is from its own partner: by values, by features, and by the edges that it keeps.

References:
    Isola, Zhu, Zhou & Efros 2017, "Image-to-image translation with conditional adversarial networks", arXiv:1611.07004, Eq. 3
        (the mean absolute difference).
    Zhang, Isola, Efros, Shechtman & Wang 2018, "The unreasonable effectiveness of deep features as a perceptual metric",
        arXiv:1801.03924, Eq. 1 (distances of features of unit length).
"""

import torch
from torch import Tensor

from sparring.errors import DataError
from sparring.metrics.checked import Table, checked
from sparring.metrics.pictures import BLOCK, in_pairs, pictures_of

ROUNDING = 1e-12
FLAT = 1e-6  # variance of the slopes, in squared shades, below which a picture has no edges


def l1(real: Table, fake: Table, dynamic_range: float = 255.0) -> Tensor:
    """Mean absolute difference of each pair, in shades.

    >>> l1(torch.zeros(1, 2, 2, 1), torch.full((1, 2, 2, 1), 3.0)).item()
    3.0

    Arguments:
        real: pictures (n, h, w, c), uint8 or floats in [0, dynamic_range].
        fake: pictures of the same shape; the i-th is compared with the i-th.
        dynamic_range: the largest value there can be.

    Shape: float64 (n,).
    """
    return in_pairs(lambda x, y: (x - y).abs().flatten(1).mean(1), real, fake, dynamic_range)


def feature_distance(real: Table, fake: Table) -> Tensor:
    """Squared distance of each pair's features, each scaled to length 1: |f / |f| - g / |g||^2 = 2 - 2 cos(f, g), 0 to 4.

    Deviation from Zhang et al.: one vector of features a picture in the place of maps of several layers, and no learned weights.
    Features that are all 0 have no direction: two of them are 0 apart, one is 1 from any other.

    >>> feature_distance(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])).item()
    2.0

    Arguments:
        real, fake: features (n, d); the i-th is compared with the i-th.

    Shape: float64 (n,).
    """
    first, second = checked(real, fake, 1, "the distance of features")
    if first.shape != second.shape:
        raise DataError(
            f"real features {tuple(first.shape)}, fake ones {tuple(second.shape)}",
            "the same number and length",
            "pair each picture with its own target",
        )
    return (_unit(first) - _unit(second)).square().sum(1)


def _unit(rows: Tensor) -> Tensor:
    lengths = rows.norm(dim=1, keepdim=True)
    return torch.where(lengths > 0, rows / lengths.clamp_min(torch.finfo(rows.dtype).tiny), 0.0)


def edge_drift(given: Table, made: Table, dynamic_range: float = 255.0) -> Tensor:
    """How much of a picture's structure is lost: 1 less the correlation of the steepness |grad| of input and output.

        drift = 1 - corr(|grad x|, |grad y|),   |grad x|^2 = (x_{i,j+1} - x_{i,j})^2 + (x_{i+1,j} - x_{i,j})^2

    of the mean over the channels (transparent pictures lie on white). It is 0 for the input itself, for its negative and for
    any change of brightness and contrast y = a x + b, about 1 where edges have nothing to do with each other, at most 2. Of two
    flat pictures it is 0, of a flat and another one 1. It sees where edges are, not of which colour.

    >>> x = torch.tensor([[0.0, 9.0, 9.0], [0.0, 9.0, 9.0], [0.0, 0.0, 0.0]])[None, :, :, None]
    >>> edge_drift(x, 255 - 2 * x).item()
    0.0

    Arguments:
        given: pictures (n, h, w, c), uint8 or floats in [0, dynamic_range].
        made: as many of the same height and width; their channels may be others.
        dynamic_range: the largest value there can be.

    Shape: float64 (n,).
    """
    sides = grey(given, dynamic_range), grey(made, dynamic_range)
    return in_pairs(_drift, *sides, dynamic_range, smallest=2)


def grey(pictures: Table, dynamic_range: float = 255.0) -> Tensor:
    """The mean of the colours: float32 (n, h, w, 1); transparent pictures lie on white."""
    shown = pictures_of(pictures, "pictures", dynamic_range)
    return torch.cat([_grey(block.float(), dynamic_range) for block in shown.split(BLOCK)])


def _grey(block: Tensor, dynamic_range: float) -> Tensor:
    solid, alpha = block, None
    if block.shape[3] in (2, 4):
        solid, alpha = block[..., :-1], block[..., -1:] / dynamic_range
    mean = solid.mean(3, keepdim=True)
    return mean if alpha is None else mean * alpha + dynamic_range * (1 - alpha)


def _drift(x: Tensor, y: Tensor) -> Tensor:
    first, second = (_centred(_steepness(side)) for side in (x, y))
    variances = first.square().mean(1), second.square().mean(1)
    flat = [variance < FLAT for variance in variances]
    scale = (variances[0] * variances[1]).sqrt().clamp_min(FLAT)
    drift = (1 - (first * second).mean(1) / scale).clamp(0, 2)
    drift = torch.where(drift < ROUNDING, torch.zeros_like(drift), drift)
    drift = torch.where(flat[0] | flat[1], torch.ones_like(drift), drift)
    return torch.where(flat[0] & flat[1], torch.zeros_like(drift), drift)


def _steepness(x: Tensor) -> Tensor:
    right, down = x[..., :-1, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, :-1]
    return (right.square() + down.square()).sqrt().flatten(1)


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(1, keepdim=True)
