"""Pictures with their names, brought to a size that is known: what a trained run is given to work on."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sparring.data.config import Fit
from sparring.data.decode import LIMIT_BYTES, decode
from sparring.data.entries import SUFFIXES, Container
from sparring.data.fit import Size, fitted
from sparring.data.folder import Folder
from sparring.data.watch import Watch
from sparring.data.zipped import Zip
from sparring.errors import DataError, InvalidImageError


class Named(NamedTuple):
    """Pictures uint8 (n, h, w, c) with their names (relative, with '/'), and what was skipped as (name, reason)."""

    names: list[str]
    pictures: np.ndarray
    skipped: list[tuple[str, str]]


def is_named(place: Path) -> bool:
    """Whether this is a folder, or one picture file by its name; else it is an array file, a zip or a built-in name."""
    return place.is_dir() or (place.is_file() and place.suffix.lower() in SUFFIXES - {""})


def named_pictures(place: Path, size: Size, channels: int, fit: Fit = "crop") -> Named:
    """The picture files of a folder in the order of their names, or a single one.

    Arguments:
        size: (height, width) that they are brought to.
        channels: 1, 3 or 4.
        fit: see `DataConfig`.

    Raises:
        DataError: there is none that can be used.
    """
    found, skipped = found_files(place)
    names, rows = [], []
    for name, read in found:
        try:
            content = read()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # decoders warn of what does not matter here
                rows.append(fitted(decode(content)[0], size, channels, fit))
            names.append(name)
        except InvalidImageError as error:
            skipped.append((name, str(error)))
    if not names:
        why = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise DataError(f"{place}: no picture that can be used{why}", "picture files", "name their folder")
    return Named(names, np.stack(rows), sorted(skipped))


def found_files(place: Path) -> tuple[list[tuple[str, Callable[[], bytes]]], list[tuple[str, str]]]:
    """What may be pictures in a folder or zip, or a single file: by name, each with the way to read it; and what is skipped."""
    if place.suffix.lower() == ".zip" and place.is_file():
        inside: Container = Zip(place, Watch().poll)
    elif place.is_dir():
        inside = Folder(place, Watch().poll)
    else:
        return [(place.name, partial(_content, place))], []
    return [(entry.name, partial(inside.read, entry)) for entry in inside.entries], list(inside.skipped)


def _content(place: Path) -> bytes:
    if place.stat().st_size > LIMIT_BYTES:
        raise InvalidImageError(f"larger than {LIMIT_BYTES >> 20} MiB")
    return place.read_bytes()
