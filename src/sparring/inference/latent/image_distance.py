"""Differentiable distances between images: mean squared error, PSNR, Laplacian pyramid, cosine of features.

References:
    Bojanowski, Joulin, Lopez-Paz & Szlam 2018, "Optimizing the latent space of generative networks", arXiv 1707.05776, section 3.2
        (Lap1, after Ling & Okada 2006: the Laplacian pyramid's L1 distance).
    Zhang, Isola, Efros, Shechtman & Wang 2018, arXiv 1801.03924 (distances of deep features agree with people).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.shapes import PerSample, Sample

FeatureFunction = Callable[[Sample], Tensor]


def mean_squared_error(a: Sample, b: Sample) -> PerSample:
    """The mean squared difference of values."""
    return (a - b).float().flatten(1).square().mean(1)


def psnr(a: Sample, b: Sample) -> PerSample:
    """Peak signal to noise ratio of samples in [-1, 1], in dB: 10 log10(4 / squared)."""
    return 10 * torch.log10(4 / mean_squared_error(a.clamp(-1, 1), b.clamp(-1, 1)).clamp_min(1e-10))


def laplacian_pyramid_distance(a: Sample, b: Sample) -> PerSample:
    """The distance of two images over the bands of a Laplacian pyramid; of points that of their values.

        sum_j |L_j(a) - L_j(b)|_1 / size_j

    Deviations: bands weigh alike by their mean (the paper's weights, 2^-2j of the sums, come to the same), and the pyramid is
    made by means of 2x2 values and bilinear growth in place of Gaussian filters. It is linear: that of a - b is taken.
    """
    rest = (a - b).float()
    if rest.ndim != 4:
        return rest.abs().mean(1)
    total = torch.zeros(len(rest), device=rest.device)
    while min(rest.shape[2:]) > 2:
        small = F.avg_pool2d(rest, 2, ceil_mode=True, count_include_pad=False)
        grown = F.interpolate(small, size=rest.shape[2:], mode="bilinear", align_corners=False)
        total = total + (rest - grown).abs().flatten(1).mean(1)
        rest = small
    return total + rest.abs().flatten(1).mean(1)


def feature_distance(features: FeatureFunction) -> Callable[[Sample, Sample], PerSample]:
    """The distance 1 - cosine of features (n, d) of both."""
    return lambda a, b: 1 - F.cosine_similarity(features(a).float(), features(b).float(), dim=1)
