"""Points in the plane: ring, grid and swiss roll, small datasets whose modes can be counted.

References:
    Lin et al. 2018, "PacGAN: the power of two samples in generative adversarial networks", arXiv 1712.04086,
        section 4.1 (ring and grid; the ring's radius and both deviations are those of its experiments).
    Marsland 2014, "Machine learning: an algorithmic perspective", chapter 6 (the roll: t * (cos t, sin t)).
"""

import math
from dataclasses import replace

import numpy as np
import torch

from sparring.core import rng
from sparring.core.errors import ConfigError, DataError
from sparring.data.config import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.readers.build_dataset import build_dataset, content_hash
from sparring.data.report import DataReport

POINT_COUNT = 100_000
RING_STD, GRID_STD, ROLL_STD = 0.01, 0.05, 0.02
POINT_SETS = ("ring", "grid", "swissroll")


def mixture_modes(name: str) -> tuple[np.ndarray, float]:
    """Means (k, 2) and standard deviation of a built-in mixture of k normal distributions.

    `ring`: k = 8 means (cos 2 pi i / 8, sin 2 pi i / 8), deviation 0.01.
    `grid`: the 25 means {-4, -2, 0, 2, 4}^2, deviation 0.05.

    Raises:
        ConfigError: not the name of a mixture.

    >>> mixture_modes("ring")[0].shape, mixture_modes("grid")[0].shape
    ((8, 2), (25, 2))
    """
    if name == "ring":
        angles = 2 * math.pi * np.arange(8) / 8
        return np.stack([np.cos(angles), np.sin(angles)], 1), RING_STD
    if name == "grid":
        sides = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
        return np.stack(np.meshgrid(sides, sides, indexing="ij"), -1).reshape(-1, 2), GRID_STD
    raise ConfigError(f"modes of {name!r}", "ring or grid", "choose one of these")


def sample_points(name: str, count: int = POINT_COUNT) -> np.ndarray:
    """Points float32 (count, 2) of a built-in set, the same on each call.

    `swissroll`: t = 1.5 pi (1 + 2 u) with u uniform on [0, 1); t (cos t, sin t) / (4.5 pi), plus noise of
    deviation 0.02, so that the roll's outer end is at radius 1.
    """
    random = rng.make_generator(0, f"points/{name}")
    noise = torch.randn(count, 2, generator=random, dtype=torch.float64)
    if name == "swissroll":
        t = 1.5 * math.pi * (1 + 2 * torch.rand(count, generator=random, dtype=torch.float64))
        roll = t[:, None] * torch.stack([t.cos(), t.sin()], 1) / (4.5 * math.pi)
        return (roll + ROLL_STD * noise).float().numpy()
    means, std = mixture_modes(name)
    which = torch.randint(len(means), (count,), generator=random)
    return (torch.from_numpy(means)[which] + std * noise).float().numpy()


def open_builtin_points(name: str, config: DataConfig) -> Dataset:
    """One of `POINT_SETS` as a dataset without labels."""
    return open_points(sample_points(name), config, content_hash("points", name, POINT_COUNT), None, "points")


def open_points(
    points: np.ndarray, config: DataConfig, key: str, labels: list[str] | None, kind: str
) -> Dataset:
    """Points float32 (n, d), d >= 2, as a dataset; points that are not finite are skipped.

    Arguments:
        key: digest of everything that the points depend on.
        labels: class name of each point, or None.
        kind: as `DataReport.kind`.

    Raises:
        DataError: settings that only images have, or points of one coordinate.
    """
    image_settings = [name for name in ("size", "channels") if getattr(config, name) is not None]
    image_settings += [name for name in ("flip", "random_crop") if getattr(config, name)]
    if image_settings:
        raise DataError(
            f"{config.source}: {', '.join(image_settings)} set for points",
            "settings of points",
            "leave it out",
        )
    if points.shape[1] < 2:
        raise DataError(
            f"{config.source}: points of {points.shape[1]} coordinate", "two or more", "save them as (n, 2)"
        )
    finite = np.isfinite(points).all(1)
    skipped = tuple(
        (f"sample {number}", "holds values that are not finite") for number in np.flatnonzero(~finite)
    )
    points = np.ascontiguousarray(points[finite], np.float32)
    report = DataReport(
        source=config.source, kind=kind, count=len(points), skipped=skipped, why=("points stay float32",)
    )
    num_distinct = len(set(points.view(f"V{points.itemsize * points.shape[1]}").ravel().tolist()))
    report = replace(report, duplicates=len(points) - num_distinct)
    names = (
        [label for label, keep in zip(labels, finite, strict=True) if keep] if labels is not None else None
    )
    return build_dataset(points, names, key=key, report=report, config=config)
