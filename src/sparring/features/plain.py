"""Features without a network: the pixels themselves, their principal components, and points as they are.

References:
    Pearson 1901, doi:10.1080/14786440109462720 (principal components); Halko, Martinsson & Tropp 2011, arXiv:0909.4061,
    algorithm 4.4 (subspace iteration).
"""

import hashlib

import numpy as np
import torch
from torch import Tensor

from sparring.errors import DataError
from sparring.features.extracted import Extracted, blocks, checked_pictures, checked_points, joined
from sparring.features.resize import RULE, channels_first, resized
from sparring.keyed import generator

SIDE, COMPONENTS, FITTED = 32, 64, 10_000
EACH = 10  # pictures a component: with fewer it fits them by chance, and other pictures lie nearer to the middle than they
_SPARE, _ROUNDS, _BLOCK = 32, 32, 500


class Pixels:
    """Pixels in [0, 1], of pictures shrunk so that no side is longer than 32.

    >>> Pixels((28, 28, 1)).dimension
    784

    Arguments:
        shape: (h, w, c) of the pictures that others are to be compared with; None takes them as they come, and
            leaves the dimension at 0.
    """

    name, digest = "pixels", ""
    rule = f"{RULE} to at most {SIDE} a side, v/255"

    def __init__(self, shape: tuple[int, ...] | None = None) -> None:
        self.shape = shape
        self.dimension = _count(shape) if shape else 0

    def __call__(self, samples: np.ndarray) -> Extracted:
        return joined([Extracted(self._block(block)) for block in blocks(checked_pictures(samples), _BLOCK)])

    def _block(self, block: np.ndarray) -> Tensor:
        height, width, channels = self.shape or block.shape[1:]
        x = channels_first(block)
        if channels == 1 and x.shape[1] == 3:
            raise DataError(
                "coloured pictures",
                "grey ones, as in the set that they are compared with",
                "prepare both sets with the same channels (--set data.channels=1)",
            )
        if channels > 1:
            x = x.expand(-1, 3, -1, -1)
        return resized(x, min(height, SIDE), min(width, SIDE)).flatten(1) / 255


class Pca:
    """The first 64 principal components of the user's own pictures, not whitened, so that distances stay those of pixels.

    Of fewer than 640 pictures a tenth as many components are taken, at least 2.

    f = (x - mean) V, where the columns of V are the eigenvectors of the pixels' covariance with the largest eigenvalues, of at
    most 10,000 pictures; in each column the entry of largest size is positive. Found by subspace iteration, 32 rounds.

    Arguments:
        samples: uint8 pictures (n, h, w, c) to fit on, at least 2.
    """

    name = "pca"

    def __init__(self, samples: np.ndarray) -> None:
        samples = checked_pictures(samples)
        if len(samples) < 2:
            raise DataError("1 picture", "at least 2 to fit principal components on", "give more pictures")
        self.pixels = Pixels(samples.shape[1:])
        rows = torch.randperm(len(samples), generator=generator(0, "pca rows"))[:FITTED].sort().values
        x = self.pixels(samples[rows.numpy()]).features
        self.mean = x.mean(0, dtype=torch.float64).float()
        count = min(COMPONENTS, x.shape[1], max(2, len(x) // EACH), len(x) - 1)
        self.matrix = _components(x - self.mean, count)
        self.dimension = self.matrix.shape[1]
        self.rule = f"{self.pixels.rule}, {self.dimension} principal components of {len(x)} pictures"
        self.digest = hashlib.sha256(self.mean.numpy().tobytes() + self.matrix.numpy().tobytes()).hexdigest()

    def __call__(self, samples: np.ndarray) -> Extracted:
        parts = [
            self.pixels(block).features - self.mean for block in blocks(checked_pictures(samples), _BLOCK)
        ]
        return joined([Extracted((part.double() @ self.matrix.double()).float()) for part in parts])


class Points:
    """Points as they are: float32 (n, d).

    Arguments:
        dimension: their number of coordinates; 0 where it is not known beforehand.
    """

    name, digest, rule = "points", "", "as they are"

    def __init__(self, dimension: int = 0) -> None:
        self.dimension = dimension

    def __call__(self, samples: np.ndarray) -> Extracted:
        return joined([Extracted(torch.from_numpy(np.array(checked_points(samples))))])


def _count(shape: tuple[int, ...]) -> int:
    return min(shape[0], SIDE) * min(shape[1], SIDE) * (1 if shape[2] == 1 else 3)


def _components(x: Tensor, count: int) -> Tensor:
    """The leading eigenvectors of the covariance of the centred rows (n, d): float32 (d, count)."""
    covariance = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for part in x.split(_BLOCK):
        covariance += part.double().t() @ part.double()
    width = min(count + _SPARE, x.shape[1])
    start = torch.randn(x.shape[1], width, generator=generator(0, "pca start"), dtype=torch.float64)
    basis = torch.linalg.qr(start).Q
    for _ in range(_ROUNDS):
        basis = torch.linalg.qr(covariance @ basis).Q
    _, turns = torch.linalg.eigh(basis.t() @ covariance @ basis)
    vectors = (basis @ turns).flip(1)[:, :count]
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    return (vectors * largest.sign()).float().contiguous()
