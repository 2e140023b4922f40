"""Similarity of pairs of images against torchmetrics."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sparring.metrics import ms_ssim, psnr, ssim
from sparring.metrics.ssim import EXPONENTS

pytest.importorskip("torchmetrics", reason="`make oracle` has the packages to compare with")
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchmetrics.functional.image.ssim import _ssim_update

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]
BORDER = 5


@pytest.fixture(params=["grey 28", "colour 40 x 52", "grey 180"])
def image_pair(request, animals):
    """Pairs of images (n, h, w, c), uint8."""
    if request.param == "grey 28":
        return animals[0][:30], animals[1][:30]
    shape = (6, 40, 52, 3) if "52" in request.param else (4, 180, 200, 1)
    draw = np.random.default_rng(0)
    coarse = torch.from_numpy(draw.random((shape[0], shape[3], 9, 9)))
    first = (F.interpolate(coarse, shape[1:3], mode="bilinear") * 255).permute(0, 2, 3, 1).numpy()
    second = first + draw.normal(size=shape) * 20
    return first.astype(np.uint8), second.clip(0, 255).astype(np.uint8)


def as_theirs(image_pair):
    return [torch.from_numpy(side).permute(0, 3, 1, 2).double() for side in image_pair]


def test_signal_to_noise(image_pair, agree):
    real, fake = as_theirs(image_pair)
    theirs = peak_signal_noise_ratio(fake, real, data_range=255.0, reduction="none", dim=(1, 2, 3))
    agree(
        "signal-to-noise ratio, torchmetrics", psnr(*image_pair), theirs, 1e-6
    )  # their logarithm of 10 is in float32


def inner(images):
    return images[..., BORDER:-BORDER, BORDER:-BORDER]


def test_similarity(image_pair, agree):
    """Theirs reflects the image at its border and counts the border (of 28 x 28 places 460); without it both are the same."""
    real, fake = as_theirs(image_pair)
    _, places = structural_similarity_index_measure(
        fake, real, data_range=255.0, reduction="none", return_full_image=True
    )
    theirs = inner(places).flatten(1).mean(1)
    agree("SSIM, torchmetrics without the border", ssim(*image_pair), theirs, 1e-9)
    agree("SSIM, torchmetrics as it is", ssim(*image_pair), places.flatten(1).mean(1), 1)


def test_similarity_at_many_scales(image_pair, agree):
    """Out of theirs at each scale, of each channel, and at the last without the border that they reflect; and as they have it."""
    real, fake = as_theirs(image_pair)
    scales = int(math.log2(min(real.shape[2:]) / 11)) + 1
    exponents = torch.tensor(EXPONENTS[:scales], dtype=torch.float64)
    expected = []
    for channel in range(real.shape[1]):
        x, y, value = fake[:, channel, None], real[:, channel, None], 1
        for number, exponent in enumerate(exponents / exponents.sum()):
            _, contrast = _ssim_update(x, y, data_range=255.0, return_contrast_sensitivity=True)
            _, places = _ssim_update(x, y, data_range=255.0, return_full_image=True)
            last = number == scales - 1
            term = inner(places).flatten(1).mean(1) if last else contrast
            value, x, y = value * term.relu() ** exponent, F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        expected.append(value)
    ours = ms_ssim(*image_pair)
    agree("MS-SSIM, torchmetrics without the last border", ours, torch.stack(expected).mean(0), 1e-9)
    if scales == 5:
        theirs = multiscale_structural_similarity_index_measure(
            fake, real, data_range=255.0, reduction="none"
        )
        agree("MS-SSIM, torchmetrics as it is", ours, theirs, 0.1)
