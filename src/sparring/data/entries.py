"""Names of picture files: which are looked at, which are left alone, and in what order."""

import os
import unicodedata
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

SUFFIXES = frozenset(
    (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", "")
)
TABLES = ("labels.csv", "dataset.json")
SYSTEM = frozenset(("thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information"))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that may be a picture.

    Arguments:
        name: relative to the root, with '/', in normal form C.
        key: what the container finds it by.
        stamp: changes when the content may have changed; "" is never trusted.
    """

    name: str
    key: int | str
    stamp: str


@runtime_checkable
class Container(Protocol):
    """A folder or a zip. `entries` are sorted by name, `skipped` are (name, reason)."""

    kind: str
    identity: str
    entries: list[Entry]
    skipped: list[tuple[str, str]]
    tables: dict[str, bytes]

    def read(self, entry: Entry) -> bytes: ...


def canonical(name: str) -> str:
    r"""A name that is the same on every machine: normal form C, bytes that are not UTF-8 as \xNN."""
    if name.isascii():
        return name
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def unwanted(name: str) -> str:
    """Why a file or folder of this name is left alone, or "".

    >>> unwanted("a/.DS_Store"), unwanted("notes.txt"), unwanted("a/b.PNG")
    ('system or hidden file', 'not a picture by its name (.txt)', '')
    """
    *folders, last = name.split("/")
    if hidden(last) or any(hidden(part) for part in folders):
        return "system or hidden file"
    stem, dot, ending = last.rpartition(".")
    suffix = f".{ending.lower()}" if stem and dot else ""
    if suffix == ".zip":
        return "a zip inside the set; unpack it first"
    return "" if suffix in SUFFIXES else f"not a picture by its name ({suffix})"


def hidden(part: str) -> bool:
    return part.startswith(".") or part.lower() in SYSTEM


def in_order(entries: list[Entry]) -> list[Entry]:
    """By name, so that the order in which the file system lists them does not matter."""
    return sorted(entries, key=lambda entry: (entry.name, str(entry.key)))
