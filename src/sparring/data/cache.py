"""The cache of decoded samples on disk: a dataset is decoded once.

A dataset is built under a temporary name and moved into place, so that it is there whole or not at all, also
when two processes build it at once. It is verified when it is used again: the header's SHA-256, the file's
size, and the CRC-32 of the samples (all of them up to 64 MiB, else 64 MiB spread over the file). What fails
is built again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sparring.core.errors import DataError


def cache_roots() -> list[Path]:
    """Where the cache may be, the best place first: $SPARRING_CACHE, $XDG_CACHE_HOME, ~/.cache, a temporary folder."""
    places = [
        Path(os.environ[name], *rest)
        for name, *rest in (("SPARRING_CACHE",), ("XDG_CACHE_HOME", "sparring"))
        if os.environ.get(name)
    ]
    with contextlib.suppress(RuntimeError):
        places.append(Path.home() / ".cache" / "sparring")
    return [places[0], _temporary_root()] if places else [_temporary_root()]


def _temporary_root() -> Path:
    place = Path(tempfile.gettempdir()) / f"sparring-cache-{os.getuid() if hasattr(os, 'getuid') else 0}"
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, exist_ok=True)
        if not hasattr(os, "getuid") or place.lstat().st_uid == os.getuid():
            return place
    return Path(tempfile.mkdtemp(prefix="sparring-cache-"))


def write_checksummed_json(path: Path, document: dict[str, Any]) -> None:
    """A JSON table with its own digest in its first line, put in place at once and durably."""
    body = json.dumps(document, separators=(",", ":")).encode()
    descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def read_checksummed_json(path: Path) -> dict[str, Any] | None:
    """The table, or None where there is none that is intact."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    document = json.loads(body)
    return document if isinstance(document, dict) else None


CRC_BLOCK_BYTES = 2**20
MAX_CHECKED_BLOCKS = 64
SampleRow = tuple[
    int, np.ndarray | None, str
]  # number, sample or None, what was converted or why there is none
RowNotes = list[tuple[int, str]]


def write_samples(file: BinaryIO, shape: tuple[int, int, int], rows: Iterator[SampleRow]) -> dict[str, Any]:
    """Write the rows one after another; returns what the header says of them."""
    kept: list[int] = []
    skipped: RowNotes = []
    converted: RowNotes = []
    seen: set[bytes] = set()
    block = _block_rows(shape)
    checks: list[int] = []
    for number, pixels, note in rows:
        if pixels is None:
            skipped.append((number, note))
            continue
        assert (pixels.shape, pixels.dtype) == (shape, np.uint8)
        data = pixels.tobytes()
        if len(kept) % block == 0:
            checks.append(0)
        checks[-1] = zlib.crc32(data, checks[-1])
        file.write(data)
        kept.append(number)
        seen.add(hashlib.blake2b(data, digest_size=16).digest())
        if note:
            converted.append((number, note))
    size = [len(kept), *shape]
    duplicates = len(kept) - len(seen)
    return {
        "shape": size,
        "kept": kept,
        "skipped": skipped,
        "converted": converted,
        "duplicates": duplicates,
        "crc32": checks,
    }


def is_intact(samples: np.ndarray, checks: list[int]) -> bool:
    """Whether the samples have these checksums; of a large file, 64 blocks spread over it are read."""
    block = _block_rows(samples.shape[1:])
    places = np.linspace(0, len(checks) - 1, min(len(checks), MAX_CHECKED_BLOCKS))
    chosen: set[int] = set(places.astype(int).tolist())
    return all(zlib.crc32(samples[i * block : (i + 1) * block].tobytes()) == checks[i] for i in chosen)


def _block_rows(shape: tuple[int, ...]) -> int:
    return max(1, CRC_BLOCK_BYTES // int(np.prod(shape)))


CACHE_FORMAT = 1
STALE_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class CachedSamples:
    """Samples uint8 (n, h, w, c), the numbers they had when they came, and what was said of them."""

    samples: np.ndarray
    kept: list[int]
    skipped: RowNotes
    converted: RowNotes
    duplicates: int


def load_or_build(
    key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[SampleRow]]
) -> tuple[CachedSamples, str]:
    """The samples of this key, from the cache or from `rows`, and a remark if the usual place could not be
    used.

    Arguments:
        key: hex digest of all that the samples depend on.
        shape: (h, w, c) of one sample.
        rows: makes the samples anew, one by one.
    """
    trouble = ""
    for root in cache_roots():
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


def _build(
    place: Path, key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[SampleRow]]
) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(place.parent)
    work = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place.parent))
    try:
        with open(work / "samples.bin", "wb") as file:
            header = {"format": CACHE_FORMAT, "key": key, **write_samples(file, shape, rows())}
            file.flush()
            os.fsync(file.fileno())
        write_checksummed_json(work / "header.json", header)
        _replace_folder(work, place)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_stale(sets: Path) -> None:
    """Remove what builds that were killed left behind, after a day."""
    for work in sets.glob(".tmp-*"):
        with contextlib.suppress(OSError):
            if work.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(work, ignore_errors=True)


def _replace_folder(work: Path, place: Path) -> None:
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


def _load(place: Path, key: str, shape: tuple[int, int, int]) -> CachedSamples | None:
    header = read_checksummed_json(place / "header.json")
    if (
        header is None
        or header.get("format") != CACHE_FORMAT
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
    if not is_intact(samples, header["crc32"]):
        return None
    named = {name: [(number, note) for number, note in header[name]] for name in ("skipped", "converted")}
    return CachedSamples(samples=samples, kept=header["kept"], duplicates=header["duplicates"], **named)
