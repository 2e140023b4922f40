"""The polygon world as picture files, in the layouts in which pairs are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from sparring.data.synthetic.polygons import colour_code, draw
from sparring.errors import ConfigError, DataError

Layout = Literal["sides", "folders", "beside"]
LAYOUTS: tuple[Layout, ...] = ("sides", "folders", "beside")
BLOCK = 500


def write(
    folder: Path,
    counts: dict[str, int],
    size: tuple[int, int] = (64, 64),
    *,
    seed: int = 0,
    layout: Layout = "folders",
) -> None:
    """Write pairs of a coloured label map (A) and its scene (B) as PNG files below `folder`, which must be new or empty.

    The splits go on counting where the one before ended: none holds a picture of another.

    Arguments:
        counts: pictures of each split, as {"train": 1000, "test": 100}.
        layout: `sides` for `train/000000.png` with A and B side by side, `folders` for `A/train/000000.png` and
            `B/train/000000.png`, `beside` for `trainA/000000.png` and `trainB/000000.png`.

    Raises:
        DataError: the folder holds something.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"layout {layout!r}", " or ".join(LAYOUTS), "choose one of these")
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: not empty", "a new folder", "choose another name or remove it")
    first = 0
    for split, count in counts.items():
        for number, (label_map, scene) in enumerate(_pairs(count, size, seed, first)):
            for place, picture in _files(layout, split, label_map, scene):
                path = folder / place / f"{number:06d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(path)
        first += count


def _pairs(
    count: int, size: tuple[int, int], seed: int, first: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, count, BLOCK):
        maps, scenes = draw(min(BLOCK, count - start), size, seed=seed, first=first + start)
        yield from zip(colour_code(maps), scenes, strict=True)


def _files(layout: Layout, split: str, a: np.ndarray, b: np.ndarray) -> list[tuple[str, np.ndarray]]:
    if layout == "sides":
        return [(split, np.concatenate([a, b], 1))]
    if layout == "folders":
        return [(f"A/{split}", a), (f"B/{split}", b)]
    return [(f"{split}A", a), (f"{split}B", b)]
