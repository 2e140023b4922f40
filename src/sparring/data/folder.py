"""A folder of picture files, and whatever else lies about in it."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from sparring.data.decode import LIMIT_BYTES
from sparring.data.entries import TABLES, Entry, canonical, hidden, in_order, unwanted
from sparring.errors import DataError, InvalidImageError

FRESH_SECONDS = 3.0  # a file changed this lately may change again within the same time stamp
DEEPEST = 64


class Folder:
    """All regular files below `root`; links are followed to files inside of it only, devices and pipes never opened."""

    kind = "folder"

    def __init__(self, root: Path, tick: Callable[[], None]) -> None:
        self.root = root.resolve()
        self.identity = str(self.root)
        self.entries: list[Entry] = []
        self.skipped: list[tuple[str, str]] = []
        self.tables: dict[str, bytes] = {}
        self._now, self._tick = time.time(), tick
        self._walk(str(self.root), "", 0)
        self.entries = in_order(self.entries)
        self.skipped.sort()

    def _walk(self, folder: str, prefix: str, depth: int) -> None:
        try:
            with os.scandir(folder) as found:
                children = list(found)
        except OSError as error:
            if not prefix:
                raise DataError(
                    f"{self.root}: {_why(error)}", "a folder that can be read", "check its permissions"
                ) from error
            self.skipped.append((canonical(prefix.rstrip("/")), _why(error)))
            return
        for child in children:
            self._tick()
            name = canonical(prefix + child.name)
            try:
                self._visit(child, name, prefix, depth)
            except OSError as error:
                self.skipped.append((name, _why(error)))

    def _visit(self, child: os.DirEntry[str], name: str, prefix: str, depth: int) -> None:
        reason = self._link(child) if child.is_symlink() else ""
        if not reason and child.is_dir(follow_symlinks=False):
            reason = _closed(child.name, depth)
            if not reason:
                self._walk(child.path, f"{prefix}{child.name}/", depth + 1)
                return
        if not reason and not prefix and name in TABLES:
            self.tables[name] = _bytes(child.path, LIMIT_BYTES)
            return
        reason = reason or unwanted(name)
        status = None if reason else child.stat()
        if status is not None:
            reason = _unfit(status)
        if status is None or reason:
            self.skipped.append((name, reason))
        else:
            self.entries.append(Entry(name=name, key=child.path, stamp=stamp(status, self._now)))

    def _link(self, child: os.DirEntry[str]) -> str:
        try:
            target = os.path.realpath(child.path, strict=True)
        except OSError:
            return "a link that leads nowhere or to itself"
        if os.path.commonpath([target, str(self.root)]) != str(self.root):
            return "a link out of the folder"
        return "a link to a folder" if os.path.isdir(target) else ""

    def read(self, entry: Entry) -> bytes:
        try:
            return _bytes(str(entry.key), LIMIT_BYTES)
        except OSError as error:
            raise InvalidImageError(_why(error)) from error


def _closed(name: str, depth: int) -> str:
    if hidden(name):
        return "system or hidden folder"
    return f"more than {DEEPEST} folders deep" if depth >= DEEPEST else ""


def _unfit(status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_size == 0:
        return "empty file"
    return f"larger than {LIMIT_BYTES >> 20} MiB" if status.st_size > LIMIT_BYTES else ""


def stamp(status: os.stat_result, now: float) -> str:
    """What changes when a file changes; "" (not to be trusted) while it is too fresh for that."""
    if max(status.st_mtime, status.st_ctime) > now - FRESH_SECONDS:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def _bytes(path: str, limit: int) -> bytes:
    """A regular file's content; never blocks, even where the file became a pipe since it was looked at."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(f"larger than {limit >> 20} MiB")
    return data


def _why(error: OSError) -> str:
    return {FileNotFoundError: "vanished while it was read", PermissionError: "no permission to read it"}.get(
        type(error), f"cannot be read ({error.strerror or error})"
    )
