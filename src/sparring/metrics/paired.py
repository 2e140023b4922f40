"""Distances between paired images: mean absolute difference, feature distance, edge drift."""

import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.metrics.checks import IMAGE_BLOCK, ArrayLike, check_features, check_images, map_image_pairs

ROUNDING_TOLERANCE = 1e-12
MIN_GRADIENT_VARIANCE = (
    1e-6  # of the gradient magnitudes, in squared grey levels; below it an image has no edges
)


def l1(real: ArrayLike, fake: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """Mean absolute difference of each pair, in units of the values (grey levels for uint8).

    >>> l1(torch.zeros(1, 2, 2, 1), torch.full((1, 2, 2, 1), 3.0)).item()
    3.0

    Arguments:
        real: images (n, h, w, c), uint8 or floats in [0, dynamic_range].
        fake: images of the same shape; the i-th is compared with the i-th.
        dynamic_range: largest possible value.

    Shape: float64 (n,).
    """
    return map_image_pairs(lambda x, y: (x - y).abs().flatten(1).mean(1), real, fake, dynamic_range)


def feature_distance(real: ArrayLike, fake: ArrayLike) -> Tensor:
    """Squared distance between the normalised features of each pair, from 0 to 4; a perceptual distance.

        |f / |f| - g / |g||^2 = 2 - 2 cos(f, g)

    Deviation from LPIPS: one feature vector per image in place of maps of several layers, and no learned weights.
    Features that are all 0 have no direction: two of them are at distance 0, one is at distance 1 from any other.

    References: Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric",
        arXiv 1801.03924, Eq. 1.

    >>> feature_distance(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])).item()
    2.0

    Arguments:
        real, fake: features (n, d); the i-th is compared with the i-th.

    Shape: float64 (n,).
    """
    first, second = check_features(real, fake, 1, "the distance of features")
    if first.shape != second.shape:
        raise DataError(
            f"real features {tuple(first.shape)}, fake ones {tuple(second.shape)}",
            "the same number and length",
            "pair each image with its own target",
        )
    return (_normalize_rows(first) - _normalize_rows(second)).square().sum(1)


def _normalize_rows(rows: Tensor) -> Tensor:
    lengths = rows.norm(dim=1, keepdim=True)
    return torch.where(lengths > 0, rows / lengths.clamp_min(torch.finfo(rows.dtype).tiny), 0.0)


def edge_drift(inputs: ArrayLike, outputs: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """How much the edges of an image have moved: 1 minus the correlation of the gradient magnitudes of input and output.

        drift = 1 - corr(|grad x|, |grad y|),   |grad x|^2 = (x_{i,j+1} - x_{i,j})^2 + (x_{i+1,j} - x_{i,j})^2

    of the mean over the channels (transparent images are put on white). It is 0 for the input itself, its negative and any
    change of brightness and contrast y = a x + b, about 1 for unrelated edges, and at most 2. Of two constant images it is
    0, of a constant and another one 1. It depends on where edges are, not on their colours. (Ours.)

    >>> x = torch.tensor([[0.0, 9.0, 9.0], [0.0, 9.0, 9.0], [0.0, 0.0, 0.0]])[None, :, :, None]
    >>> edge_drift(x, 255 - 2 * x).item()
    0.0

    Arguments:
        inputs: images (n, h, w, c), uint8 or floats in [0, dynamic_range].
        outputs: images (n, h, w, c') of the same height and width.
        dynamic_range: largest possible value.

    Shape: float64 (n,).
    """
    sides = to_grey(inputs, dynamic_range), to_grey(outputs, dynamic_range)
    return map_image_pairs(_edge_drift, *sides, dynamic_range, smallest=2)


def to_grey(images: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """The mean over the colour channels of images (n, h, w, c), float32 (n, h, w, 1); transparent ones are put on white."""
    checked = check_images(images, "images", dynamic_range)
    return torch.cat([_block_to_grey(block.float(), dynamic_range) for block in checked.split(IMAGE_BLOCK)])


def _block_to_grey(block: Tensor, dynamic_range: float) -> Tensor:
    colour, alpha = block, None
    if block.shape[3] in (2, 4):
        colour, alpha = block[..., :-1], block[..., -1:] / dynamic_range
    mean = colour.mean(3, keepdim=True)
    return mean if alpha is None else mean * alpha + dynamic_range * (1 - alpha)


def _edge_drift(x: Tensor, y: Tensor) -> Tensor:
    first, second = (_centred(_gradient_magnitude(side)) for side in (x, y))
    variances = first.square().mean(1), second.square().mean(1)
    is_flat = [variance < MIN_GRADIENT_VARIANCE for variance in variances]
    scale = (variances[0] * variances[1]).sqrt().clamp_min(MIN_GRADIENT_VARIANCE)
    drift = (1 - (first * second).mean(1) / scale).clamp(0, 2)
    drift = torch.where(drift < ROUNDING_TOLERANCE, torch.zeros_like(drift), drift)
    drift = torch.where(is_flat[0] | is_flat[1], torch.ones_like(drift), drift)
    return torch.where(is_flat[0] & is_flat[1], torch.zeros_like(drift), drift)


def _gradient_magnitude(x: Tensor) -> Tensor:
    right, down = x[..., :-1, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, :-1]
    return (right.square() + down.square()).sqrt().flatten(1)


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(1, keepdim=True)
