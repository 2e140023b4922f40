"""Features without a network: pixels, their principal components (PCA), and the coordinates of points.

References:
    Pearson 1901, doi:10.1080/14786440109462720 (principal components); Halko, Martinsson & Tropp 2011, arXiv:0909.4061,
    algorithm 4.4 (subspace iteration).
"""

import hashlib

import numpy as np
import torch
from torch import Tensor

from sparring.core.errors import DataError
from sparring.core.rng import make_generator
from sparring.features.extractor import (
    ExtractorOutput,
    check_images,
    check_points,
    concatenate_outputs,
    iterate_blocks,
)
from sparring.features.resize import RESIZE_METHOD, resize, to_nchw

MAX_SIDE, COMPONENTS, MAX_FIT_SAMPLES = 32, 64, 10_000
SAMPLES_PER_COMPONENT = (
    10  # with fewer, components overfit: other images are nearer to the mean than those of the fit
)
_OVERSAMPLING, _ITERATIONS, _BLOCK = 32, 32, 500


class PixelExtractor:
    """Pixels in [0, 1] of images that are reduced to at most 32 x 32.

    >>> PixelExtractor((28, 28, 1)).dimension
    784

    Arguments:
        shape: (h, w, c) of the reference images, to which all are resized; None keeps each batch's own shape, and the
            dimension is 0.
    """

    name, digest = "pixels", ""
    preprocessing = f"{RESIZE_METHOD} to at most {MAX_SIDE} a side, v/255"

    def __init__(self, shape: tuple[int, ...] | None = None) -> None:
        self.shape = shape
        self.dimension = _num_pixels(shape) if shape else 0

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return concatenate_outputs(
            [ExtractorOutput(self._block(block)) for block in iterate_blocks(check_images(samples), _BLOCK)]
        )

    def _block(self, block: np.ndarray) -> Tensor:
        height, width, channels = self.shape or block.shape[1:]
        x = to_nchw(block)
        if channels == 1 and x.shape[1] == 3:
            raise DataError(
                "colour images",
                "grey ones, as in the data that they are compared with",
                "prepare both sets with the same channels (--set data.channels=1)",
            )
        if channels > 1:
            x = x.expand(-1, 3, -1, -1)
        return resize(x, min(height, MAX_SIDE), min(width, MAX_SIDE)).flatten(1) / 255


class PCAExtractor:
    """The first 64 principal components of the user's images, not whitened: distances approximate those of pixels.

        f = (x - mean) V

    The columns of V are the eigenvectors of the covariance of the pixels with the largest eigenvalues, of at most 10,000
    images; the entry of largest magnitude of each is positive. Computed by 32 rounds of subspace iteration. Of fewer than
    640 images there are a tenth as many components, at least 2.

    Arguments:
        samples: uint8 images (n, h, w, c) to fit on, at least 2.
    """

    name = "pca"

    def __init__(self, samples: np.ndarray) -> None:
        samples = check_images(samples)
        if len(samples) < 2:
            raise DataError("1 image", "at least 2 to fit principal components on", "add more images")
        self.pixels = PixelExtractor(samples.shape[1:])
        rows = (
            torch.randperm(len(samples), generator=make_generator(0, "pca rows"))[:MAX_FIT_SAMPLES]
            .sort()
            .values
        )
        x = self.pixels(samples[rows.numpy()]).features
        self.mean = x.mean(0, dtype=torch.float64).float()
        count = min(COMPONENTS, x.shape[1], max(2, len(x) // SAMPLES_PER_COMPONENT), len(x) - 1)
        self.matrix = _principal_components(x - self.mean, count)
        self.dimension = self.matrix.shape[1]
        self.preprocessing = (
            f"{self.pixels.preprocessing}, {self.dimension} principal components of {len(x)} images"
        )
        self.digest = hashlib.sha256(self.mean.numpy().tobytes() + self.matrix.numpy().tobytes()).hexdigest()

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        parts = [
            self.pixels(block).features - self.mean for block in iterate_blocks(check_images(samples), _BLOCK)
        ]
        return concatenate_outputs(
            [ExtractorOutput((part.double() @ self.matrix.double()).float()) for part in parts]
        )


class PointExtractor:
    """The coordinates of points, float32 (n, d), unchanged.

    Arguments:
        dimension: number of coordinates; 0 if unknown.
    """

    name, digest, preprocessing = "points", "", "as they are"

    def __init__(self, dimension: int = 0) -> None:
        self.dimension = dimension

    def __call__(self, samples: np.ndarray) -> ExtractorOutput:
        return concatenate_outputs([ExtractorOutput(torch.from_numpy(np.array(check_points(samples))))])


def _num_pixels(shape: tuple[int, ...]) -> int:
    return min(shape[0], MAX_SIDE) * min(shape[1], MAX_SIDE) * (1 if shape[2] == 1 else 3)


def _principal_components(x: Tensor, count: int) -> Tensor:
    """The leading eigenvectors of the covariance of the centred rows (n, d): float32 (d, count)."""
    covariance = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for part in x.split(_BLOCK):
        covariance += part.double().t() @ part.double()
    width = min(count + _OVERSAMPLING, x.shape[1])
    start = torch.randn(x.shape[1], width, generator=make_generator(0, "pca start"), dtype=torch.float64)
    basis = torch.linalg.qr(start).Q
    for _ in range(_ITERATIONS):
        basis = torch.linalg.qr(covariance @ basis).Q
    _, rotation = torch.linalg.eigh(basis.t() @ covariance @ basis)
    vectors = (basis @ rotation).flip(1)[:, :count]
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    return (vectors * largest.sign()).float().contiguous()
