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
    """Mean squared error (n,) of samples (n, *sample)."""
    return (a - b).float().flatten(1).square().mean(1)


def psnr(a: Sample, b: Sample) -> PerSample:
    """Peak signal-to-noise ratio (n,) of samples in [-1, 1], in dB: 10 log10(4 / MSE)."""
    return 10 * torch.log10(4 / mean_squared_error(a.clamp(-1, 1), b.clamp(-1, 1)).clamp_min(1e-10))


def laplacian_pyramid_distance(a: Sample, b: Sample) -> PerSample:
    """L1 distance (n,) of the bands of Laplacian pyramids of two images; of points the mean absolute difference.

        sum_j |L_j(a) - L_j(b)|_1 / size_j

    Deviations: the means of the bands have equal weights (the paper weighs the sums by 2^-2j, which is the same), and the pyramid
    uses 2x2 mean pooling and bilinear upsampling in place of Gaussian filters. A pyramid is linear, so that of a - b is computed.
    """
    rest = (a - b).float()
    if rest.ndim != 4:
        return rest.abs().mean(1)
    total = torch.zeros(len(rest), device=rest.device)
    while min(rest.shape[2:]) > 2:
        small = F.avg_pool2d(rest, 2, ceil_mode=True, count_include_pad=False)
        upsampled = F.interpolate(small, size=rest.shape[2:], mode="bilinear", align_corners=False)
        total = total + (rest - upsampled).abs().flatten(1).mean(1)
        rest = small
    return total + rest.abs().flatten(1).mean(1)


def feature_distance(features: FeatureFunction) -> Callable[[Sample, Sample], PerSample]:
    """A perceptual distance: 1 - the cosine of the features (n, d) of two images."""
    return lambda a, b: 1 - F.cosine_similarity(features(a).float(), features(b).float(), dim=1)
