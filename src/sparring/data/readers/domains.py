"""Which files of a folder or zip belong to domain A or B, and to the train or test split, by the names of the
folders.

    A/ B/    trainA/ trainB/ testA/ testB/    train/A/ train/B/ test/A/ ...    A/train/ A/test/ B/train/ ...    train/ val/ test/

Of the splits, `test` (else `val`) is held out; files in no split are for training. The layouts are those of
the datasets of pix2pix and CycleGAN.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sparring.data.readers.container import Container, Entry, sort_entries
from sparring.data.readers.labels import common_root

FOLDER_PATTERN = re.compile(r"(?P<part>train|val|valid|validation|test|eval)?(?P<side>[AB])?")
SPLIT_NAMES = {"valid": "val", "validation": "val", "eval": "test", "": "train"}
MIN_PAIRED_SHARE = 0.9  # so many of all images must be in A or B, and have a partner, to be taken as pairs without being told
EntryPair = tuple[Entry, Entry]


@dataclass(frozen=True)
class ParsedPath:
    """Where a image stands: its part, its domain ("" for none), and its name within both without the ending.

    `explicit`: its domain stands in a name such as `trainA`; a folder that is called `A` alone may be a class.
    """

    part: str
    side: str
    name: str
    explicit: bool


def parse_path(name: str) -> ParsedPath:
    """Where a name relative to the root stands.

    >>> parse_path("trainA/1.jpg"), parse_path("B/test/x/2.png")
    (Place(part='train', side='A', name='1', firm=True), Place(part='test', side='B', name='x/2', firm=False))
    """
    *folders, last = name.split("/")
    part, side, firm = "", "", False
    while folders and (match := FOLDER_PATTERN.fullmatch(folders[0])) and folders[0]:
        if (part and match["part"]) or (side and match["side"]):
            break
        part, side = part or match["part"] or "", side or match["side"] or ""
        firm |= bool(match["part"] and match["side"])
        folders = folders[1:]
    stem = last.rpartition(".")[0] or last
    return ParsedPath(SPLIT_NAMES.get(part, part), side, "/".join([*folders, stem]), firm)


@dataclass
class DomainFiles:
    """The entries of a container by part and domain.

    Arguments:
        splits: by part (`train`, `test`, `val`) and domain (`A`, `B`, or "" for none).
        names: from an entry's name to its name within part and domain.
        firm: whether the names of the folders leave no doubt.
    """

    splits: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    explicit: bool = False

    def side(self, side: str) -> list[Entry]:
        """All entries of a domain, in the parts for training and judging."""
        return [entry for part in self.used_splits() for entry in self.splits[part].get(side, [])]

    def used_splits(self) -> tuple[str, ...]:
        """The part to train on and the part to judge by, as far as they are there."""
        held = next((part for part in ("test", "val") if part in self.splits), None)
        return tuple(part for part in ("train", held) if part in self.splits and part)

    @property
    def has_test_split(self) -> bool:
        """Whether both domains have images to judge by, apart from those to train on."""
        used = self.used_splits()
        return len(used) == 2 and all(self.splits[part].get(side) for part in used for side in "AB")

    @property
    def has_both_domains(self) -> bool:
        """Whether there are images of both domains."""
        return bool(self.side("A") and self.side("B"))

    @property
    def is_mostly_domains(self) -> bool:
        """Whether so many images are of A or B that the folders of these names are hardly two classes among others."""
        count = sum(len(entries) for part in self.used_splits() for entries in self.splits[part].values())
        return len(self.side("A")) + len(self.side("B")) >= MIN_PAIRED_SHARE * count

    def is_paired(self, part: str) -> bool:
        """Whether nearly all images of this part have a partner by name."""
        sides = self.splits[part]
        a, b = sides.get("A", []), sides.get("B", [])
        return 2 * len(match_by_name(a, b, self.names)[0]) >= MIN_PAIRED_SHARE * max(1, len(a) + len(b))


def group_by_domain(entries: Sequence[Entry]) -> DomainFiles:
    """Sort the entries of a container by the names of their folders."""
    division = DomainFiles()
    root = wrapping_folder([entry.name for entry in entries])
    for entry in entries:
        place = parse_path(entry.name[len(root) :])
        division.splits.setdefault(place.part, {}).setdefault(place.side, []).append(entry)
        division.names[entry.name] = place.name
        division.explicit |= place.explicit
    if "train" not in division.splits and division.splits:
        part = division.used_splits()[0]
        division.splits["train"] = division.splits.pop(part)
    return division


def wrapping_folder(names: Sequence[str]) -> str:
    """The folder that wraps all names, but for those that say something (`train/`, with all in it)."""
    kept = []
    for folder in common_root(names).split("/")[:-1]:
        if FOLDER_PATTERN.fullmatch(folder):
            break
        kept.append(f"{folder}/")
    return "".join(kept)


def match_by_name(
    a: Sequence[Entry], b: Sequence[Entry], names: dict[str, str]
) -> tuple[list[EntryPair], list[tuple[str, str]]]:
    """The pairs of one name, in the order of the names, and (name, reason) of what has no partner.

    Arguments:
        names: from an entry's name to the name that partners share.
    """
    skipped: list[tuple[str, str]] = []
    sides: list[dict[str, Entry]] = [{}, {}]
    for side, entries in zip(sides, (a, b), strict=True):
        for entry in entries:
            first = side.setdefault(names[entry.name], entry)
            if first is not entry:
                skipped.append((entry.name, f"another image of this name: {first.name}"))
    shared = sides[0].keys() & sides[1].keys()
    for side, word in ((sides[0], "B"), (sides[1], "A")):
        skipped += [(side[name].name, f"no partner in {word}") for name in side if name not in shared]
    return [(sides[0][name], sides[1][name]) for name in sorted(shared)], sorted(skipped)


class ContainerSubset:
    """Some entries of a container, as a container of their own. What the whole skips is told once, by the whole.

    Arguments:
        whole: what it is a part of.
        entries: those that are seen.
        name: of the part, so that what is found out about it is kept under a name of its own.
    """

    def __init__(self, whole: Container, entries: Sequence[Entry], name: str) -> None:
        self.whole, self.entries, self.kind = whole, sort_entries(list(entries)), whole.kind
        self.identity = f"{whole.identity}\0{name}"
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}

    def read(self, entry: Entry) -> bytes:
        return self.whole.read(entry)


class JoinedContainers:
    """Two containers as one with the folders `A/` and `B/`; what wraps all of one is left out of its names."""

    def __init__(self, a: Container, b: Container) -> None:
        self.kind = a.kind if a.kind == b.kind else f"{a.kind} and {b.kind}"
        self.identity = f"{a.identity}\0{b.identity}"
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}
        self._from: dict[str, tuple[Container, Entry]] = {}
        for side, container in (("A", a), ("B", b)):
            root = wrapping_folder([entry.name for entry in container.entries])
            for entry in container.entries:
                self._from[f"{side}/{entry.name[len(root) :]}"] = container, entry
            self.skipped += [(f"{side}/{name}", why) for name, why in container.skipped]
        self.entries = sort_entries([replace(entry, name=name) for name, (_, entry) in self._from.items()])

    def read(self, entry: Entry) -> bytes:
        container, inner = self._from[entry.name]
        return container.read(inner)
