"""The file of samples in the cache, written in a stream, with a CRC-32 for each block."""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

BLOCK_BYTES = 2**20
CHECKED_BLOCKS = 64
Row = tuple[int, np.ndarray | None, str]  # number, sample or None, what was converted or why there is none
Named = list[tuple[int, str]]


def written(file: BinaryIO, shape: tuple[int, int, int], rows: Iterator[Row]) -> dict[str, Any]:
    """Write the rows one after another; returns what the header says of them."""
    kept: list[int] = []
    skipped: Named = []
    converted: Named = []
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


def intact(samples: np.ndarray, checks: list[int]) -> bool:
    """Whether the samples have these checksums; of a large file, 64 blocks spread over it are read."""
    block = _block_rows(samples.shape[1:])
    places = np.linspace(0, len(checks) - 1, min(len(checks), CHECKED_BLOCKS))
    chosen: set[int] = set(places.astype(int).tolist())
    return all(zlib.crc32(samples[i * block : (i + 1) * block].tobytes()) == checks[i] for i in chosen)


def _block_rows(shape: tuple[int, ...]) -> int:
    return max(1, BLOCK_BYTES // int(np.prod(shape)))
