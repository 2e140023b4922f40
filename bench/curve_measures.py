"""The measures of `curve.py`: generated images against held-out ones, which the run has not seen.

| measure | of | good |
| --- | --- | --- |
| kd_efficientnet, coverage_efficientnet | EfficientNet-Lite0 (ImageNet) | 0; the value of real images |
| kd_pca, coverage_pca | 64 principal components of the training part, scaled to a mean variance of 1 | the same |
| kd_ssl, coverage_ssl | anime faces only: the network of shared/judge/judge_images.py | the same |
| authenticity | share of samples that are no near-copy of a training image, by principal components | that of held-out images |
| grid | energy at the frequencies of up-sampling (periods 2, 4, 8 pixels), dB above that of real images | 0 |
| layout | mean distance between two images at 8x8 pixels, over that of real images | 1 |

kd is the unbiased kernel distance with a cubic kernel, coverage has k = 5. Every figure has a standard error by 10 blocks of
generated images and 10 of held-out ones (delete-one-block jackknife, or the spread over blocks where a figure is a mean or a
median); an interval is 2 of them to each side.
"""

import importlib.util
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring import features
from sparring.core.errors import ConfigError
from sparring.core.runtime import DeviceOptions
from sparring.features.pixels_pca import PCAExtractor, PixelExtractor
from sparring.features.resize import to_rgb
from sparring.metrics import authenticity, kernel_distance, precision_recall_density_coverage
from sparring.metrics.kernel_mmd import mmd_squared

BLOCKS, INTERVAL = 10, 2.0  # standard errors to each side
PERIODS = (2, 4, 8)  # pixels
MIN_BIN = 3  # of a grid frequency: the surroundings of a lower one hold the mean of the image
SHARED = Path(os.environ.get("SPARRING_SHARED", Path(__file__).parents[2] / "shared" / "data"))
FACE_SCRIPT = SHARED.parent / "judge" / "judge_images.py"
BETTER = {  # of each measure: the direction, or the value that is best
    "kd_efficientnet": "lower",
    "coverage_efficientnet": "higher",
    "kd_pca": "lower",
    "coverage_pca": "higher",
    "kd_ssl": "lower",
    "coverage_ssl": "higher",
    "authenticity": "higher",
    "grid": "0 dB",
    "layout": "1",
}


@dataclass(frozen=True)
class Figure:
    """A value with its standard error."""

    value: float
    error: float

    def to_json(self) -> dict[str, float]:
        low, high = self.value - INTERVAL * self.error, self.value + INTERVAL * self.error
        return {"value": self.value, "error": self.error, "low": low, "high": high}


# ---- intervals by blocks ---------------------------------------------------------------------------------------------


def blocks_of(count: int) -> list[np.ndarray]:
    """The rows 0 to count - 1 in `BLOCKS` blocks of nearly one size."""
    return np.array_split(np.arange(count), BLOCKS)


def without_each_block(count: int) -> list[np.ndarray]:
    """The rows without one block, for each block."""
    return [np.setdiff1d(np.arange(count), block) for block in blocks_of(count)]


def jackknife_error(statistic: Callable[[np.ndarray], float], count: int) -> float:
    """Standard error of a statistic of rows by the delete-one-block jackknife: sqrt((b - 1) / b sum (v_i - mean)^2)."""
    values = np.array([statistic(rows) for rows in without_each_block(count)])
    return float(np.sqrt((BLOCKS - 1) * values.var()))


def spread_error(statistic: Callable[[np.ndarray], float], count: int) -> float:
    """Standard error of a statistic that is about the mean of its values on disjoint blocks: their deviation / sqrt(b)."""
    values = np.array([statistic(rows) for rows in blocks_of(count)])
    return float(values.std(ddof=1) / math.sqrt(BLOCKS))


def kernel_figure(real: Tensor, fake: Tensor) -> Figure:
    """The unbiased kernel distance of all samples."""
    everything = torch.arange(len(real)), torch.arange(len(fake))
    errors = []
    for side in (0, 1):
        subsets = []
        for rows in without_each_block(len((real, fake)[side])):
            pair = list(everything)
            pair[side] = torch.from_numpy(rows)
            subsets.append((pair[0], pair[1]))
        deviation = kernel_distance(real, fake, subsets_chosen=subsets)[1]  # of the values, / sqrt(b)
        errors.append(deviation * (BLOCKS - 1))
    return Figure(mmd_squared(real.double(), fake.double()), math.hypot(*errors))


def coverage_figure(real: Tensor, fake: Tensor) -> Figure:
    """The share of real samples with a generated one in the ball of their 5 nearest neighbours."""

    def coverage(real_rows: Any, fake_rows: Any) -> float:
        return precision_recall_density_coverage(real[real_rows], fake[fake_rows])["coverage"]

    everything = slice(None)
    errors = (
        jackknife_error(lambda rows: coverage(rows, everything), len(real)),
        jackknife_error(lambda rows: coverage(everything, rows), len(fake)),
    )
    return Figure(coverage(everything, everything), math.hypot(*errors))


# ---- the grid of up-sampling -----------------------------------------------------------------------------------------


def grid_prominence(images: np.ndarray) -> dict[int, np.ndarray]:
    """How far the spectrum at the frequencies of a grid stands above its surroundings, in dB, by period in pixels.

    A layer that enlarges by 2 leaves a pattern of period 2, the one before it of period 4, and so on (Odena, Dumoulin & Olah
    2016, "Deconvolution and checkerboard artifacts"; Durall, Keuper & Keuper 2020, arXiv 2003.01826, on spectra). For each
    period p the power of the Hann-windowed image at (0, 1/p), (1/p, 0) and (1/p, +-1/p) is divided by the geometric mean of
    that on the ring two bins away, where the window's transform of a pure grid is 0, and the three or four ratios averaged.
    Noise raises both and leaves the ratio: only what repeats counts.

    Arguments:
        images: uint8 (n, h, w, c), 24 pixels a side or more for all three periods; cut to whole multiples of 8.

    Returns:
        {period: dB of each image (n,)}; periods for which the images are too small are left out.
    """
    x = to_rgb(np.ascontiguousarray(images)).numpy().astype(np.float64)
    unit = PERIODS[-1] if min(x.shape[2:]) >= PERIODS[-1] else 1
    height, width = (side // unit * unit for side in x.shape[2:])
    x = x[:, :, :height, :width]
    x = x - x.mean((2, 3), keepdims=True)
    window = np.outer(*(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(side) / side) for side in (height, width)))
    rounding = 1e-6 * height * width  # far below one grey level, far above the error of float64
    power = (np.abs(np.fft.fft2(x * window)) ** 2).mean(1) + rounding
    found = {}
    for period in PERIODS:
        down, across = height // period, width // period
        if min(down, across) < MIN_BIN or height % period or width % period:
            continue
        places = [(0, across), (down, 0), (down, across)]
        places += [(down, -across)] if period > 2 else []  # of period 2 it is the same frequency
        ratios = [power[:, a, b] / _ring(power, a, b) for a, b in places]
        found[period] = 10 * np.log10(np.mean(ratios, axis=0))
    return found


def _ring(power: np.ndarray, row: int, column: int) -> np.ndarray:
    """Geometric mean of the power two bins from a frequency (n,)."""
    steps = range(-2, 3)
    height, width = power.shape[1:]
    around = [
        power[:, (row + a) % height, (column + b) % width]
        for a in steps
        for b in steps
        if 2 in (abs(a), abs(b))
    ]
    return np.exp(np.log(around).mean(0))


def grid_figures(real: dict[int, np.ndarray], fake: dict[int, np.ndarray]) -> dict[int, Figure]:
    """By period, the median prominence of generated images less that of real ones, in dB: 0 for real images, by law.

    Arguments:
        real, fake: of `grid_prominence`.
    """

    def error(values: np.ndarray) -> float:
        return spread_error(lambda rows: float(np.median(values[rows])), len(values))

    return {
        period: Figure(
            float(np.median(fake[period]) - np.median(real[period])),
            math.hypot(error(real[period]), error(fake[period])),
        )
        for period in real
    }


def add_checkerboard(images: np.ndarray, period: int, amplitude: float) -> np.ndarray:
    """The images with a checkerboard of a period in pixels and an amplitude in grey levels, to test the measure."""
    rows, columns = np.indices(images.shape[1:3])
    board = np.where((rows // (period // 2) + columns // (period // 2)) % 2, 1.0, -1.0)[:, :, None]
    return np.clip(np.rint(images + amplitude * board), 0, 255).astype(np.uint8)


# ---- layout ----------------------------------------------------------------------------------------------------------


def layout_features(images: np.ndarray) -> Tensor:
    """The images at 8x8 pixels, float32 (n, d)."""
    return PixelExtractor((8, 8, images.shape[3]))(images).features


def layout_figure(real: Tensor, fake: Tensor) -> Figure:
    """Mean distance of two generated images over that of two real ones, both at 8x8 pixels: 1 for real, 0 for one layout."""

    def mean_distance(x: Tensor) -> float:
        return float(torch.pdist(x.double()).mean())

    values = [mean_distance(x) for x in (real, fake)]
    errors = [spread_error(lambda rows, x=x: mean_distance(x[rows]), len(x)) for x in (real, fake)]
    ratio = values[1] / max(values[0], 1e-12)
    return Figure(ratio, math.hypot(errors[1], ratio * errors[0]) / max(values[0], 1e-12))


# ---- everything ------------------------------------------------------------------------------------------------------


class Evaluator:
    """Measures generated images of one data set.

    Arguments:
        train, held_out: uint8 (n, h, w, c).
        cache: folder for features of real images.
        is_anime: use the in-domain network of `FACE_SCRIPT`, where it is on this machine.
    """

    def __init__(self, train: np.ndarray, held_out: np.ndarray, cache: Path, is_anime: bool) -> None:
        self.train, self.held_out, self.cache = train, held_out, cache
        self.runtime = DeviceOptions(device="cpu", threads=1).start()
        self.face_network = load_face_network() if is_anime and FACE_SCRIPT.is_file() else None
        try:
            self.efficientnet = features.load("efficientnet_lite0", runtime=self.runtime)
        except ConfigError:
            self.efficientnet = None  # pip install 'sparring[features]'

    @cached_property
    def pca(self) -> PCAExtractor:
        return PCAExtractor(self.train)

    @cached_property
    def real(self) -> dict[str, Tensor]:
        """Features of the held-out images by name of the space, from the cache where they are there."""
        return {name: self._cached(name, space) for name, space in self.spaces().items()}

    @cached_property
    def train_components(self) -> Tensor:
        return self.pca(self.train).features

    def _cached(self, name: str, space: Callable[[np.ndarray], Tensor]) -> Tensor:
        file = self.cache / f"held-out-{name}.npy"
        if not file.exists():
            part = file.with_name(f"{file.stem}.{os.getpid()}.npy")
            np.save(part, space(self.held_out).numpy())
            part.rename(file)
        return torch.from_numpy(np.load(file))

    def spaces(self) -> dict[str, Callable[[np.ndarray], Tensor]]:
        """Feature spaces by name: images to features (n, d)."""
        found: dict[str, Callable[[np.ndarray], Tensor]] = {}
        if self.efficientnet is not None:
            found["efficientnet"] = lambda images: self.efficientnet(images).features
        found["pca"] = lambda images: self.pca(images).features
        if self.face_network is not None:
            found["ssl"] = self._ssl_features
        return found

    @torch.no_grad()
    def _ssl_features(self, images: np.ndarray) -> Tensor:
        network = self.face_network.ssl_net()
        return torch.cat(
            [network(part / 127.5 - 1).mean((2, 3)) for part in self.face_network.batches(images)]
        )

    def measure(self, images: np.ndarray) -> dict[str, Any]:
        """All measures of generated images, uint8 (n, h, w, c), as JSON."""
        assert images.shape[1:] == self.held_out.shape[1:], (images.shape, self.held_out.shape)
        found, components = {}, None
        for name, space in self.spaces().items():
            real, fake = self.real[name], space(images)
            components = fake if name == "pca" else components
            # of no natural unit: the kernel (a.b / d + 1)^3 needs one
            scale = (
                1.0 if name == "efficientnet" else float(real.double().std(0).square().mean().sqrt()) or 1.0
            )
            found[f"kd_{name}"] = kernel_figure(real / scale, fake / scale)
            found[f"coverage_{name}"] = coverage_figure(real, fake)
        found["authenticity"] = self._authenticity(components)
        grid = grid_figures(grid_prominence(self.held_out), grid_prominence(images))
        if grid:
            found["grid"] = max(grid.values(), key=lambda figure: figure.value)
        found["layout"] = layout_figure(layout_features(self.held_out), layout_features(images))
        result: dict[str, Any] = {name: figure.to_json() for name, figure in found.items()}
        if grid:
            result["grid"]["by_period"] = {str(period): figure.to_json() for period, figure in grid.items()}
        return result

    def _authenticity(self, components: Tensor) -> Figure:
        def of(rows: Any) -> float:
            return authenticity(self.train_components, components[rows])

        return Figure(of(slice(None)), spread_error(of, len(components)))

    def measure_real(self, count: int) -> dict[str, Any]:
        """The same of real images: what a perfect generator would reach. Training images, but held-out ones for authenticity."""
        result = self.measure(self.train[-count:])
        result["authenticity"] = self._authenticity(self.real["pca"]).to_json()
        return result


def load_face_network() -> ModuleType:
    """shared/judge/judge_images.py as a module: its network, its batches."""
    spec = importlib.util.spec_from_file_location("judge_images", FACE_SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
