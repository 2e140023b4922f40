"""Zip files of images. Nothing is unpacked to disk, and nothing that the zip's directory claims is trusted."""

import os
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from sparring.core.errors import DataError, InvalidImageError
from sparring.data.images.decode import LIMIT_BYTES, MAX_COMPRESSION_RATIO, SIGNATURES
from sparring.data.readers.container import (
    LABEL_FILES,
    Entry,
    canonical_name,
    change_stamp,
    name_skip_reason,
    sort_entries,
)

READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    MemoryError,
    ImportError,
)


class Zip:
    """The members of one zip file; see `Container`.

    Arguments:
        path: the file.
        tick: called for every member; it may raise `StopRequested`.

    Raises:
        DataError: not a zip that can be read.
    """

    kind = "zip"

    def __init__(self, path: Path, tick: Callable[[], None]) -> None:
        self.identity = str(path.resolve())
        self.entries: list[Entry] = []
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}
        try:
            self._zip = zipfile.ZipFile(path)
            mark = change_stamp(os.stat(path), time.time())
        except Exception as error:  # a zip's directory is untrusted: its reader may raise anything
            raise DataError(
                f"{path}: not a zip that can be read ({error})", "a zip of images", "pack it again"
            ) from error
        self._members = self._zip.infolist()
        overlapping = _find_overlaps(self._members)
        names: set[str] = set()
        for number, member in enumerate(self._members):
            tick()
            if not member.is_dir():
                self._visit(number, member, names, overlapping, mark)
        self.entries = sort_entries(self.entries)
        self.skipped.sort()

    def _visit(
        self, number: int, member: zipfile.ZipInfo, names: set[str], overlapping: set[int], mark: str
    ) -> None:
        name = canonical_name(member.filename)
        if (
            name.rpartition("/")[2] in LABEL_FILES
            and name.count("/") <= 1
            and name not in names
            and member.file_size <= LIMIT_BYTES
        ):
            names.add(name)
            self.label_files[name] = self._content(member)
            return
        reason = _member_skip_reason(member, name, number in overlapping) or name_skip_reason(name)
        if not reason and name in names:
            reason = "a second file of this name"
        if reason:
            self.skipped.append((name, reason))
            return
        names.add(name)
        trusted = f"{mark}:{member.CRC}:{member.header_offset}" if mark else ""
        self.entries.append(Entry(name=name, key=number, stamp=trusted))

    def read(self, entry: Entry) -> bytes:
        """One member; it is unpacked only if its first bytes are those of an image."""
        return self._content(self._members[int(entry.key)], SIGNATURES)

    def _content(self, member: zipfile.ZipInfo, signatures: tuple[bytes, ...] = ()) -> bytes:
        try:
            with self._zip.open(member) as file:
                head = file.read(16)
                if signatures and not head.startswith(signatures):
                    return head
                data = head + file.read(LIMIT_BYTES + 1 - len(head))
        except READ_ERRORS as error:
            raise InvalidImageError(f"damaged in the zip ({str(error)[:80]})") from error
        if len(data) > LIMIT_BYTES:
            raise InvalidImageError(f"larger than {LIMIT_BYTES >> 20} MiB")
        return data


def _member_skip_reason(member: zipfile.ZipInfo, name: str, overlaps: bool) -> str:
    if member.flag_bits & 0x1:
        return "encrypted"
    if name.startswith("/") or "\\" in name or ".." in name.split("/") or name[1:2] == ":":
        return "its name leads out of the set"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "a link"
    if overlaps:
        return "overlaps another member"
    if member.file_size == 0:
        return "empty file"
    if member.file_size > LIMIT_BYTES:
        return f"larger than {LIMIT_BYTES >> 20} MiB"
    if member.file_size > MAX_COMPRESSION_RATIO * max(member.compress_size, 1):
        return "claims an impossible size"
    return ""


def _find_overlaps(members: list[zipfile.ZipInfo]) -> set[int]:
    """Indices of members whose data overlaps another's: a zip bomb (Fifield 2019, "A better zip bomb")."""
    order = sorted(range(len(members)), key=lambda number: members[number].header_offset)
    overlapping: set[int] = set()
    end, last = -1, -1
    for number in order:
        start = members[number].header_offset
        if start < end:
            overlapping |= {number, last}
        if start + 30 + members[number].compress_size > end:
            end, last = start + 30 + members[number].compress_size, number
    return overlapping
