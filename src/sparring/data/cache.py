"""The cache of decoded samples on disk: a dataset is decoded once.

A dataset is built under a temporary name and renamed, so that it exists whole or not at all, also when two
processes build it at once. It is verified each time it is opened: the header's SHA-256, the file's size, and
the CRC-32 of the samples (all of them up to 64 MiB, else 64 MiB spread over the file). A dataset that fails is
built again.
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
    """Folders for the cache, in order of preference: $SPARRING_CACHE, $XDG_CACHE_HOME or ~/.cache; a temporary folder."""
    roots = [
        Path(os.environ[name], *rest)
        for name, *rest in (("SPARRING_CACHE",), ("XDG_CACHE_HOME", "sparring"))
        if os.environ.get(name)
    ]
    with contextlib.suppress(RuntimeError):
        roots.append(Path.home() / ".cache" / "sparring")
    return [roots[0], _temporary_root()] if roots else [_temporary_root()]


def _temporary_root() -> Path:
    root = Path(tempfile.gettempdir()) / f"sparring-cache-{os.getuid() if hasattr(os, 'getuid') else 0}"
    with contextlib.suppress(OSError):
        root.mkdir(mode=0o700, exist_ok=True)
        if not hasattr(os, "getuid") or root.lstat().st_uid == os.getuid():
            return root
    return Path(tempfile.mkdtemp(prefix="sparring-cache-"))


def write_checksummed_json(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON object with its SHA-256 on the first line, atomically and synced to the disk."""
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
    """The JSON object; None if the file is missing or damaged."""
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
# index, sample (None if it is skipped), and the conversion or the reason for skipping
SampleRow = tuple[int, np.ndarray | None, str]
RowNotes = list[tuple[int, str]]


def write_samples(file: BinaryIO, shape: tuple[int, int, int], rows: Iterator[SampleRow]) -> dict[str, Any]:
    """Write the rows one after another; returns their part of the header (shape, indices, notes, CRC-32 of each block)."""
    indices: list[int] = []
    skipped: RowNotes = []
    converted: RowNotes = []
    digests: set[bytes] = set()
    block = _block_rows(shape)
    checksums: list[int] = []
    for number, pixels, note in rows:
        if pixels is None:
            skipped.append((number, note))
            continue
        assert (pixels.shape, pixels.dtype) == (shape, np.uint8)
        data = pixels.tobytes()
        if len(indices) % block == 0:
            checksums.append(0)
        checksums[-1] = zlib.crc32(data, checksums[-1])
        file.write(data)
        indices.append(number)
        digests.add(hashlib.blake2b(data, digest_size=16).digest())
        if note:
            converted.append((number, note))
    return {
        "shape": [len(indices), *shape],
        "kept": indices,
        "skipped": skipped,
        "converted": converted,
        "duplicates": len(indices) - len(digests),
        "crc32": checksums,
    }


def is_intact(samples: np.ndarray, checksums: list[int]) -> bool:
    """Whether the samples have these checksums; of a large file, 64 blocks spread over it are read."""
    block = _block_rows(samples.shape[1:])
    positions = np.linspace(0, len(checksums) - 1, min(len(checksums), MAX_CHECKED_BLOCKS))
    blocks: set[int] = set(positions.astype(int).tolist())
    return all(zlib.crc32(samples[i * block : (i + 1) * block].tobytes()) == checksums[i] for i in blocks)


def _block_rows(shape: tuple[int, ...]) -> int:
    return max(1, CRC_BLOCK_BYTES // int(np.prod(shape)))


CACHE_FORMAT = 1
STALE_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True)
class CachedSamples:
    """Samples out of the cache.

    Arguments:
        samples: uint8 (n, h, w, c), memory-mapped.
        indices: of each in the source; the others were skipped.
        skipped, converted: (index in the source, reason or conversion).
        duplicates: samples with the same content as an earlier one.
    """

    samples: np.ndarray
    indices: list[int]
    skipped: RowNotes
    converted: RowNotes
    duplicates: int


def load_or_build(
    key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[SampleRow]]
) -> tuple[CachedSamples, str]:
    """The samples of this key, from the cache or else from `rows`, and a remark if the first folder could not be used.

    Arguments:
        key: hex digest of everything that the samples depend on.
        shape: (h, w, c) of one sample.
        rows: decodes the samples, one by one.

    Raises:
        DataError: no folder could be written to.
    """
    failure = ""
    for root in cache_roots():
        folder = root / "sets" / key
        try:
            cached = _load(folder, key, shape)
            if cached is None:
                _build(folder, key, shape, rows)
                cached = _load(folder, key, shape)
            if cached is not None:
                return cached, f"{failure}, so the cache is in {root}" if failure else ""
            failure = f"the samples written to {root} do not read back"
        except OSError as error:
            failure = f"the cache in {root} can't be used ({error.strerror or error})"
    raise DataError(
        failure, "room for the decoded samples", "set SPARRING_CACHE to a folder on a disk with room"
    )


def _build(
    folder: Path, key: str, shape: tuple[int, int, int], rows: Callable[[], Iterator[SampleRow]]
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(folder.parent)
    work = Path(tempfile.mkdtemp(prefix=".tmp-", dir=folder.parent))
    try:
        with open(work / "samples.bin", "wb") as file:
            header = {"format": CACHE_FORMAT, "key": key, **write_samples(file, shape, rows())}
            file.flush()
            os.fsync(file.fileno())
        write_checksummed_json(work / "header.json", header)
        _replace_folder(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_stale(sets: Path) -> None:
    """Remove the temporary folders of builds that were killed more than a day ago."""
    for work in sets.glob(".tmp-*"):
        with contextlib.suppress(OSError):
            if work.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(work, ignore_errors=True)


def _replace_folder(work: Path, folder: Path) -> None:
    """Rename `work` to `folder`. One that is there is damaged, or was just written by another process with the same content."""
    for _ in range(8):
        try:
            os.rename(work, folder)
            return
        except OSError:
            old = work.with_name(work.name + "-old")
            with contextlib.suppress(OSError):
                os.rename(folder, old)
            shutil.rmtree(old, ignore_errors=True)
    raise OSError(f"{folder} can't be replaced")


def _load(folder: Path, key: str, shape: tuple[int, int, int]) -> CachedSamples | None:
    header = read_checksummed_json(folder / "header.json")
    if (
        header is None
        or header.get("format") != CACHE_FORMAT
        or header.get("key") != key
        or header["shape"][1:] != list(shape)
    ):
        return None
    path, count = folder / "samples.bin", header["shape"][0]
    if not path.is_file() or path.stat().st_size != count * int(np.prod(shape)):
        return None
    samples = (
        np.memmap(path, np.uint8, "r", shape=(count, *shape)) if count else np.empty((0, *shape), np.uint8)
    )
    if not is_intact(samples, header["crc32"]):
        return None
    notes = {name: [(number, note) for number, note in header[name]] for name in ("skipped", "converted")}
    return CachedSamples(samples=samples, indices=header["kept"], duplicates=header["duplicates"], **notes)
