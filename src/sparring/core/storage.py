"""File operations on a run folder: atomic writes, append, lock. All go through here, so that tests can make
each of them fail.

`observer` is called with the operation's name and path before it happens; a test sets it, and may raise from
it.
"""

import contextlib
import errno
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sparring.core.errors import RunLockedError

TEMPORARY_PREFIX = ".tmp-"  # of unfinished files and folders
observer: Callable[[str, Path], None] | None = None


def _notify(operation: str, path: Path) -> None:
    if observer is not None:
        observer(operation, path)


def make_folder(path: Path) -> None:
    """Create a folder and its parents, and force its name to the disk; no error if it exists."""
    _notify("make_folder", path)
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Write a new file and force it to the disk."""
    _notify("write", path)
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        _notify("fsync", path)
        os.fsync(file.fileno())


def replace(source: Path, target: Path) -> None:
    """Rename, replacing an existing target, and force the folder to the disk; after a crash the target is old or new, whole."""
    _notify("replace", target)
    os.replace(source, target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Force a folder's names to the disk (a no-op on systems that can't)."""
    _notify("sync_folder", path)
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that at every instant it is the old one or the new one, whole."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{path.name}")
    try:
        write(temporary, content)
        replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            remove(temporary)
        raise


def append(path: Path, line: str) -> None:
    """Append a line; if the last line is torn, a line break is added first."""
    _notify("append", path)
    with open(path, "ab+") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write((line + "\n").encode())


def read(path: Path) -> bytes:
    """The content of a file."""
    _notify("read", path)
    return path.read_bytes()


def read_head(path: Path, count: int) -> bytes:
    """The first `count` bytes of a file."""
    _notify("read", path)
    with open(path, "rb") as file:
        return file.read(count)


def list_folder(path: Path) -> list[str]:
    """The sorted names in a folder; empty if it does not exist."""
    _notify("names", path)
    return sorted(os.listdir(path)) if path.is_dir() else []


def remove(path: Path) -> None:
    """Remove a file, or a folder with its content; no error if it does not exist."""
    _notify("remove", path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_atomic(folder: Path) -> None:
    """Remove a folder so that at every instant it is complete, or not there under its name."""
    if folder.is_dir():
        doomed = folder.with_name(f"{TEMPORARY_PREFIX}old-{folder.name}")
        remove(doomed)
        replace(folder, doomed)
        remove(doomed)


class RunLock:
    """The exclusive right to write to a run folder, held until `release` or the end of the process.

    Raises:
        RunLockedError: another process holds it.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / "lock"
        _notify("lock", self.path)
        self.file: IO[str] | None = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115
        try:
            _lock_file(self.file)
        except OSError as error:
            holder = _read_holder(self.file)
            self.file.close()
            if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                raise
            raise RunLockedError(
                f"{run} is being written by {holder}",
                "one writer at a time",
                "wait for it, stop it, or choose another --out",
            ) from None
        self.file.truncate(0)
        self.file.write(json.dumps({"process": os.getpid(), "host": socket.gethostname()}))
        self.file.flush()

    def release(self) -> None:
        """Give up the lock."""
        if self.file is not None:
            self.file.truncate(0)
            self.file.close()
            self.file = None


def _read_holder(file: IO[str]) -> str:
    for _ in range(20):  # it may have taken the lock just now, and not have written its name yet
        file.seek(0)
        try:
            holder = json.loads(file.read(200))
            return f"process {int(holder['process'])} on {str(holder['host'])[:80]}"
        except (ValueError, KeyError, TypeError):
            time.sleep(0.01)
    return "another process"


def _lock_file(file: IO[str]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: there an open file can't be removed, which is the only protection
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
