"""Write the polygon dataset as image files, in any of the folder layouts of paired data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from sparring.core.errors import ConfigError, DataError
from sparring.data.synthetic.polygons import encode_colours, generate_scenes

Layout = Literal["sides", "folders", "beside"]
LAYOUTS: tuple[Layout, ...] = ("sides", "folders", "beside")
CHUNK_SIZE = 500


def write_pairs(
    folder: Path,
    counts: dict[str, int],
    size: tuple[int, int] = (64, 64),
    *,
    seed: int = 0,
    layout: Layout = "folders",
) -> None:
    """Write pairs of a coloured label map (A) and its scene (B) as PNG files below `folder`, which must be new or empty.

    Each split starts at the index where the one before ended, so that no two have an image in common.

    Arguments:
        counts: number of pairs in each split, as {"train": 1000, "test": 100}.
        size: height and width in pixels.
        layout: `sides` for `train/000000.png` with A and B side by side, `folders` for `A/train/000000.png` and
            `B/train/000000.png`, `beside` for `trainA/000000.png` and `trainB/000000.png`.

    Raises:
        DataError: the folder is not empty. ConfigError: unknown layout.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"layout {layout!r}", " or ".join(LAYOUTS), "choose one of these")
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder}: not empty", "a new folder", "choose another name or remove it")
    first = 0
    for split, count in counts.items():
        for number, (label_map, scene) in enumerate(_iterate_pairs(count, size, seed, first)):
            for subfolder, image in _pair_files(layout, split, label_map, scene):
                path = folder / subfolder / f"{number:06d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(path)
        first += count


def _iterate_pairs(
    count: int, size: tuple[int, int], seed: int, first: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, count, CHUNK_SIZE):
        maps, scenes = generate_scenes(min(CHUNK_SIZE, count - start), size, seed=seed, first=first + start)
        yield from zip(encode_colours(maps), scenes, strict=True)


def _pair_files(layout: Layout, split: str, a: np.ndarray, b: np.ndarray) -> list[tuple[str, np.ndarray]]:
    if layout == "sides":
        return [(split, np.concatenate([a, b], 1))]
    if layout == "folders":
        return [(f"A/{split}", a), (f"B/{split}", b)]
    return [(f"{split}A", a), (f"{split}B", b)]
