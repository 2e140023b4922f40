"""Decoded samples on disk, so that a set is decoded once: a folder a set, named by its key.

A set is built under a temporary name and moved into place, so that it is there whole or not at all, also when
two processes build it at once. It is checked when it is used again: the header's digest, the file's size, and
the CRC-32 of the samples (all of them up to 64 MiB, else 64 MiB spread over the file). What fails is built
again.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring.data.blocks import Named, Row, intact, written
from sparring.data.checked import read_checked, write_checked
from sparring.data.places import roots
from sparring.errors import DataError

FORMAT = 1
STALE_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Samples uint8 (n, h, w, c), the numbers they had when they came, and what was said of them."""

    samples: np.ndarray
    kept: list[int]
    skipped: Named
    converted: Named
    duplicates: int


def stored(key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[Row]]) -> tuple[Stored, str]:
    """The samples of this key, from the cache or from `rows`, and a remark if the usual place could not be
    used.

    Arguments:
        key: hex digest of all that the samples depend on.
        shape: (h, w, c) of one sample.
        rows: makes the samples anew, one by one.
    """
    trouble = ""
    for root in roots():
        place = root / "sets" / key
        try:
            found = _load(place, key, shape)
            if found is None:
                _build(place, key, shape, rows)
                found = _load(place, key, shape)
            if found is not None:
                return found, f"{trouble}, so the cache is in {root}" if trouble else ""
            trouble = f"what was written to {root} does not read back"
        except OSError as error:
            trouble = f"the cache in {root} can't be used ({error.strerror or error})"
    raise DataError(
        trouble, "room for the decoded samples", "set SPARRING_CACHE to a folder on a disk with room"
    )


def _build(place: Path, key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[Row]]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    work = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place.parent))
    try:
        with open(work / "samples.bin", "wb") as file:
            header = {"format": FORMAT, "key": key, **written(file, shape, rows())}
            file.flush()
            os.fsync(file.fileno())
        write_checked(work / "header.json", header)
        _move(work, place)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sweep(sets: Path) -> None:
    """Remove what builds that were killed left behind, after a day."""
    for work in sets.glob(".tmp-*"):
        with contextlib.suppress(OSError):
            if work.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(work, ignore_errors=True)


def _move(work: Path, place: Path) -> None:
    """Into place. What is there failed its check, unless another process has just put it there: same content."""
    for _ in range(8):
        try:
            os.rename(work, place)
            return
        except OSError:
            old = work.with_name(work.name + "-old")
            with contextlib.suppress(OSError):
                os.rename(place, old)
            shutil.rmtree(old, ignore_errors=True)
    raise OSError(f"{place} can't be replaced")


def _load(place: Path, key: str, shape: tuple[int, int, int]) -> Stored | None:
    header = read_checked(place / "header.json")
    if (
        header is None
        or header.get("format") != FORMAT
        or header.get("key") != key
        or header["shape"][1:] != list(shape)
    ):
        return None
    path, count = place / "samples.bin", header["shape"][0]
    if not path.is_file() or path.stat().st_size != count * int(np.prod(shape)):
        return None
    samples = (
        np.memmap(path, np.uint8, "r", shape=(count, *shape)) if count else np.empty((0, *shape), np.uint8)
    )
    if not intact(samples, header["crc32"]):
        return None
    named = {name: [(number, note) for number, note in header[name]] for name in ("skipped", "converted")}
    return Stored(samples=samples, kept=header["kept"], duplicates=header["duplicates"], **named)
