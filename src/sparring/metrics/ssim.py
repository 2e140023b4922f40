"""PSNR, SSIM and MS-SSIM of image pairs, and MS-SSIM diversity of a set."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core import rng
from sparring.core.errors import DataError
from sparring.metrics.checks import ArrayLike, check_images, map_image_pairs

WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03  # Wang et al. 2004, section III.C
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2
BLOCK = 64  # pairs at once


def psnr(real: ArrayLike, fake: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """Peak signal-to-noise ratio of each pair in dB, 10 log10(range^2 / mean squared error); infinite for equal images.

    >>> psnr(torch.zeros(1, 4, 4, 1), torch.full((1, 4, 4, 1), 25.5)).item()
    20.0

    Arguments:
        real: images (n, h, w, c), uint8 or floats in [0, dynamic_range].
        fake: images of the same shape; the i-th is compared with the i-th.
        dynamic_range: largest possible value.

    Shape: float64 (n,).
    """

    def ratio(x: Tensor, y: Tensor) -> Tensor:
        return 10 * (dynamic_range**2 / (x - y).square().flatten(1).mean(1)).log10()

    return map_image_pairs(ratio, real, fake, dynamic_range)


def ssim(real: ArrayLike, fake: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """Mean structural similarity (SSIM) of each pair; 1 for equal images.

        SSIM = (2 mu_x mu_y + C1)(2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1)(sigma_x^2 + sigma_y^2 + C2))

    over all positions where the window of 11 x 11 pixels fits, C = (K range)^2. Deviation: of colour images, the mean over
    the channels (the paper is about grey images).

    References: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to structural
        similarity", doi:10.1109/TIP.2003.819861, Eq. 13.

    Arguments and shape as for `psnr`; height and width must be at least 11.
    """

    def similarity(x: Tensor, y: Tensor) -> Tensor:
        luminance, structure = _ssim_maps(x, y, dynamic_range)
        return (luminance * structure).flatten(1).mean(1)

    return map_image_pairs(similarity, real, fake, dynamic_range, smallest=WINDOW)


def ms_ssim(real: ArrayLike, fake: ArrayLike, dynamic_range: float = 255.0) -> Tensor:
    """Multi-scale structural similarity of each pair: contrast and structure at each scale, luminance at the last.

        MS-SSIM = l_M^{a_M} prod_{j=1}^M cs_j^{a_j},   scale j + 1 being scale j averaged over 2 x 2

    Deviations: of small images as many of the five scales as leave both sides at 11 or more (five from 176 pixels, four
    from 88, three from 44, two from 22), with the exponents scaled to sum 1; a negative contrast-structure term counts as
    0, since it has no real power; of colour images, the mean over the channels.

    References: Wang, Simoncelli, Bovik 2003, "Multiscale structural similarity for image quality assessment",
        doi:10.1109/ACSSC.2003.1292216, Eq. 7.

    Arguments and shape as for `psnr`; height and width must be at least 11.
    """

    def similarity(x: Tensor, y: Tensor) -> Tensor:
        exponents = torch.tensor(EXPONENTS[: num_scales(*x.shape[2:])], dtype=torch.float64)
        value = torch.ones(x.shape[:2], dtype=torch.float64)
        for number, exponent in enumerate(exponents / exponents.sum()):
            luminance, structure = _ssim_maps(x, y, dynamic_range)
            last = number == len(exponents) - 1
            term = (luminance * structure if last else structure).mean((2, 3)).clamp(min=0)
            value = value * term**exponent
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        return value.mean(1)

    return map_image_pairs(similarity, real, fake, dynamic_range, smallest=WINDOW)


def num_scales(height: int, width: int) -> int:
    """Number of scales of MS-SSIM for images of this size.

    >>> num_scales(28, 28), num_scales(64, 48), num_scales(256, 256)
    (2, 3, 5)
    """
    return min(len(EXPONENTS), int(math.log2(min(height, width) / WINDOW)) + 1)


def ms_ssim_diversity(
    images: ArrayLike, *, pairs: int = 1_000, seed: int = 0, dynamic_range: float = 255.0
) -> tuple[float, float]:
    """Mean MS-SSIM of random pairs of different images of one set; lower is more diverse.

    The paper takes pairs within one class. Compare with the value of the real images: well above it, the generator repeats
    itself. Noise has the lowest value of all.

    References: Odena, Olah, Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs",
        arXiv 1610.09585, section 4.3.

    Arguments:
        images: (n, h, w, c), as for `psnr`.
        pairs: number of pairs.
        seed: of the pairs.
        dynamic_range: as for `psnr`.

    Returns:
        The mean, and its standard error over the pairs.

    Raises:
        DataError: fewer than 2 images or pairs, or images that can't be used.
    """
    if pairs < 2:
        raise DataError(f"{pairs} pairs", "2 or more for a mean and its error", "use 100 or more")
    checked = check_images(images, "images", dynamic_range, WINDOW)
    if len(checked) < 2:
        raise DataError("1 image", "2 or more to compare", "give more images")
    random = rng.make_generator(seed, "diversity")
    first = torch.randint(len(checked), (pairs,), generator=random)
    other = (first + 1 + torch.randint(len(checked) - 1, (pairs,), generator=random)) % len(checked)
    blocks = zip(first.split(BLOCK), other.split(BLOCK), strict=True)
    values = torch.cat([ms_ssim(checked[a], checked[b], dynamic_range) for a, b in blocks])
    return values.mean().item(), values.std().item() / math.sqrt(pairs)


def _ssim_maps(x: Tensor, y: Tensor, dynamic_range: float) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure terms at each position of the window, (n, c, h - 10, w - 10) each."""
    c1, c2 = (K1 * dynamic_range) ** 2, (K2 * dynamic_range) ** 2
    mean_x, mean_y = _gaussian_blur(x), _gaussian_blur(y)
    variance = _gaussian_blur(x * x) - mean_x**2 + _gaussian_blur(y * y) - mean_y**2
    covariance = _gaussian_blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * covariance + c2) / (variance + c2)


def _gaussian_blur(x: Tensor) -> Tensor:
    """Gaussian-weighted mean in the window, along the rows and then along the columns.

    Computed as a sum of shifted images, which in float64 is eight times as fast as torch's convolution.
    """
    places = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    kernel = torch.exp(-(places**2) / (2 * SIGMA**2))
    weights = (kernel / kernel.sum()).tolist()
    for side in (2, 3):
        length = x.shape[side] - WINDOW + 1
        total = x.narrow(side, 0, length) * weights[0]
        for shift, weight in enumerate(weights[1:], 1):
            total.add_(x.narrow(side, shift, length), alpha=weight)
        x = total
    return x
