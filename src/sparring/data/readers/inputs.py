"""Read image files as the input of a trained run: all at the size of the run, or one after another at their own sizes."""

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

FileReader = Callable[[], bytes]


class NamedImages(NamedTuple):
    """Images uint8 (n, h, w, c), their names (relative, with '/'), and (name, reason) of the files that were skipped."""

    names: list[str]
    images: np.ndarray
    skipped: list[tuple[str, str]]


def is_image_path(path: Path) -> bool:
    """Whether this is a folder or a file with the suffix of an image; not an array file, a zip or a built-in name."""
    return path.is_dir() or (path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES - {""})


def read_images(path: Path, size: Size, channels: int, fit: Fit = "crop") -> NamedImages:
    """Read the image files of a folder, sorted by name, or a single file.

    Arguments:
        size: (height, width) of the result, in pixels.
        channels: 1, 3 or 4.
        fit: see `DataConfig`.

    Raises:
        DataError: there is no usable image.
    """
    files, skipped = find_image_files(path)
    names, rows = [], []
    for name, read in files:
        try:
            content = read()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a damaged image raises; a warning is of no consequence
                rows.append(fit_image(decode(content)[0], size, channels, fit))
            names.append(name)
        except InvalidImageError as error:
            skipped.append((name, str(error)))
    if not names:
        reason = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise DataError(f"{path}: no image that can be used{reason}", "image files", "name their folder")
    return NamedImages(names, np.stack(rows), sorted(skipped))


def find_image_files(path: Path) -> tuple[list[tuple[str, FileReader]], list[tuple[str, str]]]:
    """(name, reader) of each possible image in a folder, a zip or a single file; and (name, reason) of the other files."""
    if path.suffix.lower() == ".zip" and path.is_file():
        container: Container = Zip(path, ProgressMonitor().poll)
    elif path.is_dir():
        container = Folder(path, ProgressMonitor().poll)
    else:
        return [(path.name, partial(_read_file, path))], []
    return [(entry.name, partial(container.read, entry)) for entry in container.entries], list(
        container.skipped
    )


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > LIMIT_BYTES:
        raise InvalidImageError(f"larger than {LIMIT_BYTES >> 20} MiB")
    return path.read_bytes()


class ImageStream:
    """The images of a folder, a zip or a single file, decoded one at a time while it is iterated.

    Iteration yields (name, image) at the image's own size. `skipped` holds (name, reason), and grows with each file
    that can't be decoded.

    Arguments:
        path: the folder or file.

    Raises:
        DataError: it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.files: list[tuple[str, FileReader]]
        if not path.exists():
            raise DataError(f"{path}: does not exist", "an image, a folder or a zip", "check the path")
        self.files, self.skipped = find_image_files(path)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        for name, read in self.files:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a damaged image raises; a warning is of no consequence
                    image = decode(read())[0]
            except InvalidImageError as error:
                self.skipped.append((name, str(error)))
                continue
            yield name, image
