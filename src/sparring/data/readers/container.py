"""Folders of image files as sorted lists of entries: what is skipped, and why.

`Container` is the protocol that folders and zips share. Links are followed only to files inside the folder;
devices and pipes are never opened.
"""

import os
import stat
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from sparring.core.errors import DataError, InvalidImageError
from sparring.data.images.decode import LIMIT_BYTES

IMAGE_SUFFIXES = frozenset(
    (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", "")
)
LABEL_FILES = ("labels.csv", "dataset.json")
SYSTEM_FILES = frozenset(
    ("thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information")
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file that may be an image.

    Arguments:
        name: relative to the root, with '/', in Unicode normal form C.
        key: of the file in its container: a path, or the index of a zip's member.
        stamp: changes when the content may have changed; "" is never trusted.
    """

    name: str
    key: int | str
    stamp: str


@runtime_checkable
class Container(Protocol):
    """A folder or a zip of images.

    Attributes:
        kind: as `DataReport.kind`.
        identity: distinguishes containers in the survey's cache.
        entries: the possible images, sorted by name.
        skipped: (name, reason) of the other files.
        label_files: content of `labels.csv` and `dataset.json`, by path.
    """

    kind: str
    identity: str
    entries: list[Entry]
    skipped: list[tuple[str, str]]
    label_files: dict[str, bytes]

    def read(self, entry: Entry) -> bytes:
        """The content of a file. Raises InvalidImageError where it can't be read."""


def canonical_name(name: str) -> str:
    r"""A name that is the same on every machine: Unicode normal form C, bytes that are not UTF-8 as \xNN."""
    if name.isascii():
        return name
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def name_skip_reason(name: str) -> str:
    """The reason for which a file of this name is skipped, or "".

    >>> name_skip_reason("a/.DS_Store"), name_skip_reason("notes.txt"), name_skip_reason("a/b.PNG")
    ('system or hidden file', 'not an image by its name (.txt)', '')
    """
    *folders, last = name.split("/")
    if is_hidden(last) or any(is_hidden(part) for part in folders):
        return "system or hidden file"
    stem, dot, ending = last.rpartition(".")
    suffix = f".{ending.lower()}" if stem and dot else ""
    if suffix == ".zip":
        return "a zip inside the set; unpack it first"
    return "" if suffix in IMAGE_SUFFIXES else f"not an image by its name ({suffix})"


def is_hidden(part: str) -> bool:
    return part.startswith(".") or part.lower() in SYSTEM_FILES


def sort_entries(entries: list[Entry]) -> list[Entry]:
    """Sorted by name: the order does not depend on the file system."""
    return sorted(entries, key=lambda entry: (entry.name, str(entry.key)))


FRESH_SECONDS = 3.0  # a file changed within this time may change again without another time stamp
MAX_DEPTH = 64


class Folder:
    """All regular files below `root`; links are followed to files inside it only, devices and pipes are never opened.

    Arguments:
        root: the folder.
        tick: called for every file; it may raise `StopRequested`.

    Raises:
        DataError: the folder can't be read.
    """

    kind = "folder"

    def __init__(self, root: Path, tick: Callable[[], None]) -> None:
        self.root = root.resolve()
        self.identity = str(self.root)
        self.entries: list[Entry] = []
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}
        self._now, self._tick = time.time(), tick
        self._walk(str(self.root), "", 0)
        self.entries = sort_entries(self.entries)
        self.skipped.sort()

    def _walk(self, folder: str, prefix: str, depth: int) -> None:
        try:
            with os.scandir(folder) as entries:
                children = list(entries)
        except OSError as error:
            if not prefix:
                raise DataError(
                    f"{self.root}: {_os_error_reason(error)}",
                    "a folder that can be read",
                    "check its permissions",
                ) from error
            self.skipped.append((canonical_name(prefix.rstrip("/")), _os_error_reason(error)))
            return
        for child in children:
            self._tick()
            name = canonical_name(prefix + child.name)
            try:
                self._visit(child, name, prefix, depth)
            except OSError as error:
                self.skipped.append((name, _os_error_reason(error)))

    def _visit(self, child: os.DirEntry[str], name: str, prefix: str, depth: int) -> None:
        reason = self._link_skip_reason(child) if child.is_symlink() else ""
        if not reason and child.is_dir(follow_symlinks=False):
            reason = _folder_skip_reason(child.name, depth)
            if not reason:
                self._walk(child.path, f"{prefix}{child.name}/", depth + 1)
                return
        if not reason and not prefix and name in LABEL_FILES:
            self.label_files[name] = _read_file(child.path, LIMIT_BYTES)
            return
        reason = reason or name_skip_reason(name)
        status = None if reason else child.stat()
        if status is not None:
            reason = _file_skip_reason(status)
        if status is None or reason:
            self.skipped.append((name, reason))
        else:
            self.entries.append(Entry(name=name, key=child.path, stamp=change_stamp(status, self._now)))

    def _link_skip_reason(self, child: os.DirEntry[str]) -> str:
        try:
            target = os.path.realpath(child.path, strict=True)
        except OSError:
            return "a link that leads nowhere or to itself"
        if os.path.commonpath([target, str(self.root)]) != str(self.root):
            return "a link out of the folder"
        return "a link to a folder" if os.path.isdir(target) else ""

    def read(self, entry: Entry) -> bytes:
        try:
            return _read_file(str(entry.key), LIMIT_BYTES)
        except OSError as error:
            raise InvalidImageError(_os_error_reason(error)) from error


def _folder_skip_reason(name: str, depth: int) -> str:
    if is_hidden(name):
        return "system or hidden folder"
    return f"more than {MAX_DEPTH} folders deep" if depth >= MAX_DEPTH else ""


def _file_skip_reason(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size == 0:
        return "empty file"
    return f"larger than {LIMIT_BYTES >> 20} MiB" if status.st_size > LIMIT_BYTES else ""


def change_stamp(status: os.stat_result, now: float) -> str:
    """Size, times and inode of a file as text; "" (never trusted) for one that changed within `FRESH_SECONDS`."""
    if max(status.st_mtime, status.st_ctime) > now - FRESH_SECONDS:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def _read_file(path: str, limit: int) -> bytes:
    """Content of a regular file; never blocks, even where the file was replaced by a pipe after it was listed."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(f"larger than {limit >> 20} MiB")
    return data


def _os_error_reason(error: OSError) -> str:
    return {FileNotFoundError: "vanished while it was read", PermissionError: "no permission to read it"}.get(
        type(error), f"cannot be read ({error.strerror or error})"
    )
