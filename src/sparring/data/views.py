"""Parts of a container, and two containers as one."""

from collections.abc import Sequence
from dataclasses import replace

from sparring.data.domains import wrapping
from sparring.data.entries import Container, Entry, in_order


class View:
    """Some entries of a container, as a container of their own. What the whole skips is told once, by the whole.

    Arguments:
        whole: what it is a part of.
        entries: those that are seen.
        name: of the part, so that what is found out about it is kept under a name of its own.
    """

    def __init__(self, whole: Container, entries: Sequence[Entry], name: str) -> None:
        self.whole, self.entries, self.kind = whole, in_order(list(entries)), whole.kind
        self.identity = f"{whole.identity}\0{name}"
        self.skipped: list[tuple[str, str]] = []
        self.tables: dict[str, bytes] = {}

    def read(self, entry: Entry) -> bytes:
        return self.whole.read(entry)


class Joined:
    """Two containers as one with the folders `A/` and `B/`; what wraps all of one is left out of its names."""

    def __init__(self, a: Container, b: Container) -> None:
        self.kind = a.kind if a.kind == b.kind else f"{a.kind} and {b.kind}"
        self.identity = f"{a.identity}\0{b.identity}"
        self.skipped: list[tuple[str, str]] = []
        self.tables: dict[str, bytes] = {}
        self._from: dict[str, tuple[Container, Entry]] = {}
        for side, container in (("A", a), ("B", b)):
            root = wrapping([entry.name for entry in container.entries])
            for entry in container.entries:
                self._from[f"{side}/{entry.name[len(root) :]}"] = container, entry
            self.skipped += [(f"{side}/{name}", why) for name, why in container.skipped]
        self.entries = in_order([replace(entry, name=name) for name, (_, entry) in self._from.items()])

    def read(self, entry: Entry) -> bytes:
        container, inner = self._from[entry.name]
        return container.read(inner)
