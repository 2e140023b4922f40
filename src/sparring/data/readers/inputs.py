"""Image files given to a trained run: read at its size with their names, or one after another at their own
sizes.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from sparring.core.errors import DataError, InvalidImageError
from sparring.core.progress import ProgressMonitor
from sparring.data.config import Fit
from sparring.data.images.decode import LIMIT_BYTES, decode
from sparring.data.images.resize import Size, fit_image
from sparring.data.readers.container import IMAGE_SUFFIXES, Container, Folder
from sparring.data.readers.zip import Zip


class NamedImages(NamedTuple):
    """Images uint8 (n, h, w, c) with their names (relative, with '/'), and what was skipped as (name, reason)."""

    names: list[str]
    images: np.ndarray
    skipped: list[tuple[str, str]]


def is_image_path(place: Path) -> bool:
    """Whether this is a folder, or one image file by its name; else it is an array file, a zip or a built-in name."""
    return place.is_dir() or (place.is_file() and place.suffix.lower() in IMAGE_SUFFIXES - {""})


def read_images(place: Path, size: Size, channels: int, fit: Fit = "crop") -> NamedImages:
    """The image files of a folder in the order of their names, or a single one.

    Arguments:
        size: (height, width) that they are brought to.
        channels: 1, 3 or 4.
        fit: see `DataConfig`.

    Raises:
        DataError: there is none that can be used.
    """
    found, skipped = find_image_files(place)
    names, rows = [], []
    for name, read in found:
        try:
            content = read()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # decoders warn of what does not matter here
                rows.append(fit_image(decode(content)[0], size, channels, fit))
            names.append(name)
        except InvalidImageError as error:
            skipped.append((name, str(error)))
    if not names:
        why = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise DataError(f"{place}: no image that can be used{why}", "image files", "name their folder")
    return NamedImages(names, np.stack(rows), sorted(skipped))


def find_image_files(place: Path) -> tuple[list[tuple[str, Callable[[], bytes]]], list[tuple[str, str]]]:
    """What may be images in a folder or zip, or a single file: by name, each with the way to read it; and what is skipped."""
    if place.suffix.lower() == ".zip" and place.is_file():
        inside: Container = Zip(place, ProgressMonitor().poll)
    elif place.is_dir():
        inside = Folder(place, ProgressMonitor().poll)
    else:
        return [(place.name, partial(_read_file, place))], []
    return [(entry.name, partial(inside.read, entry)) for entry in inside.entries], list(inside.skipped)


def _read_file(place: Path) -> bytes:
    if place.stat().st_size > LIMIT_BYTES:
        raise InvalidImageError(f"larger than {LIMIT_BYTES >> 20} MiB")
    return place.read_bytes()


FileReader = Callable[[], bytes]


class ImageStream:
    """The images of a folder or zip, or a single file; each is read when its turn comes.

    Arguments:
        place: what to read.

    `skipped` grows by (name, reason) as files turn out not to be usable.

    Raises:
        DataError: there is nothing of this name.
    """

    def __init__(self, place: Path) -> None:
        self.files: list[tuple[str, FileReader]]
        if not place.exists():
            raise DataError(f"{place}: does not exist", "a image, a folder or a zip", "check the path")
        self.files, self.skipped = find_image_files(place)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        for name, read in self.files:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # decoders warn of what does not matter here
                    picture = decode(read())[0]
            except InvalidImageError as error:
                self.skipped.append((name, str(error)))
                continue
            yield name, picture
