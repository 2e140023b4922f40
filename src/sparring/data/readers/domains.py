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

FOLDER_PATTERN = re.compile(r"(?P<split>train|val|valid|validation|test|eval)?(?P<domain>[AB])?")
SPLIT_NAMES = {"valid": "val", "validation": "val", "eval": "test", "": "train"}
MIN_PAIRED_SHARE = (
    0.9  # of all images must be in A or B, and have a partner, to be taken as pairs by themselves
)
EntryPair = tuple[Entry, Entry]


@dataclass(frozen=True)
class ParsedPath:
    """A file's split, its domain ("" for none), and its name within both, without the suffix.

    `explicit`: the domain is part of a folder name such as `trainA`; a folder named `A` alone may be a class.
    """

    split: str
    domain: str
    name: str
    explicit: bool


def parse_path(name: str) -> ParsedPath:
    """Split, domain and name of a path relative to the root.

    >>> parse_path("trainA/1.jpg")
    ParsedPath(split='train', domain='A', name='1', explicit=True)
    >>> parse_path("B/test/x/2.png")
    ParsedPath(split='test', domain='B', name='x/2', explicit=False)
    """
    *folders, last = name.split("/")
    split, domain, explicit = "", "", False
    while folders and (match := FOLDER_PATTERN.fullmatch(folders[0])) and folders[0]:
        if (split and match["split"]) or (domain and match["domain"]):
            break
        split, domain = split or match["split"] or "", domain or match["domain"] or ""
        explicit |= bool(match["split"] and match["domain"])
        folders = folders[1:]
    stem = last.rpartition(".")[0] or last
    return ParsedPath(SPLIT_NAMES.get(split, split), domain, "/".join([*folders, stem]), explicit)


@dataclass
class DomainFiles:
    """The entries of a container by split and domain.

    Arguments:
        splits: entries by split (`train`, `test`, `val`) and domain (`A`, `B`, or "" for none).
        names: from an entry's name to its name within split and domain.
        explicit: whether some folder names a split and a domain, as `trainA` does.
    """

    splits: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    explicit: bool = False

    def entries_of(self, domain: str) -> list[Entry]:
        """The entries of a domain in the splits for training and evaluation."""
        return [entry for split in self.used_splits() for entry in self.splits[split].get(domain, [])]

    def used_splits(self) -> tuple[str, ...]:
        """The split to train on and the held-out one (`test`, else `val`), as far as they exist."""
        held_out = next((split for split in ("test", "val") if split in self.splits), None)
        return tuple(split for split in ("train", held_out) if split in self.splits and split)

    @property
    def has_test_split(self) -> bool:
        """Whether both domains have images for training and held-out ones."""
        used = self.used_splits()
        return len(used) == 2 and all(self.splits[split].get(domain) for split in used for domain in "AB")

    @property
    def has_both_domains(self) -> bool:
        """Whether there are images of both domains."""
        return bool(self.entries_of("A") and self.entries_of("B"))

    @property
    def is_mostly_domains(self) -> bool:
        """Whether nearly all images are in A or B, so that these folders are hardly two classes among others."""
        count = sum(len(entries) for split in self.used_splits() for entries in self.splits[split].values())
        return len(self.entries_of("A")) + len(self.entries_of("B")) >= MIN_PAIRED_SHARE * count

    def is_paired(self, split: str) -> bool:
        """Whether nearly all images of this split have a partner of the same name."""
        a, b = (self.splits[split].get(domain, []) for domain in "AB")
        return 2 * len(match_by_name(a, b, self.names)[0]) >= MIN_PAIRED_SHARE * max(1, len(a) + len(b))


def group_by_domain(entries: Sequence[Entry]) -> DomainFiles:
    """Sort the entries of a container by the names of their folders.

    Where there is no `train` split, the first one that is used takes its place.
    """
    files = DomainFiles()
    root = wrapping_folder([entry.name for entry in entries])
    for entry in entries:
        path = parse_path(entry.name[len(root) :])
        files.splits.setdefault(path.split, {}).setdefault(path.domain, []).append(entry)
        files.names[entry.name] = path.name
        files.explicit |= path.explicit
    if "train" not in files.splits and files.splits:
        files.splits["train"] = files.splits.pop(files.used_splits()[0])
    return files


def wrapping_folder(names: Sequence[str]) -> str:
    """The folder that wraps all names, up to one that names a split or domain (`train/`, with all files in it)."""
    wrapping = []
    for folder in common_root(names).split("/")[:-1]:
        if FOLDER_PATTERN.fullmatch(folder):
            break
        wrapping.append(f"{folder}/")
    return "".join(wrapping)


def match_by_name(
    a: Sequence[Entry], b: Sequence[Entry], names: dict[str, str]
) -> tuple[list[EntryPair], list[tuple[str, str]]]:
    """Pairs of entries with equal names, sorted by name, and (name, reason) of each entry without a partner.

    Arguments:
        a, b: entries of domain A and of domain B.
        names: from an entry's name to the name that partners share.
    """
    skipped: list[tuple[str, str]] = []
    by_name: list[dict[str, Entry]] = [{}, {}]
    for table, entries in zip(by_name, (a, b), strict=True):
        for entry in entries:
            first = table.setdefault(names[entry.name], entry)
            if first is not entry:
                skipped.append((entry.name, f"another image of this name: {first.name}"))
    shared = by_name[0].keys() & by_name[1].keys()
    for table, missing in ((by_name[0], "B"), (by_name[1], "A")):
        skipped += [(table[name].name, f"no partner in {missing}") for name in table if name not in shared]
    return [(by_name[0][name], by_name[1][name]) for name in sorted(shared)], sorted(skipped)


class ContainerSubset:
    """Some entries of a container, as a container of their own; files that `whole` skipped are reported there only.

    Arguments:
        whole: the container with all entries.
        entries: those of the subset.
        name: of the subset; it makes `identity` unique, and with it the key of the survey's cache.
    """

    def __init__(self, whole: Container, entries: Sequence[Entry], name: str) -> None:
        self.whole, self.entries, self.kind = whole, sort_entries(list(entries)), whole.kind
        self.identity = f"{whole.identity}\0{name}"
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}

    def read(self, entry: Entry) -> bytes:
        return self.whole.read(entry)


class JoinedContainers:
    """Two containers as one with the folders `A/` and `B/`; a folder that wraps all files of one is dropped from the names."""

    def __init__(self, a: Container, b: Container) -> None:
        self.kind = a.kind if a.kind == b.kind else f"{a.kind} and {b.kind}"
        self.identity = f"{a.identity}\0{b.identity}"
        self.skipped: list[tuple[str, str]] = []
        self.label_files: dict[str, bytes] = {}
        self._from: dict[str, tuple[Container, Entry]] = {}
        for domain, container in (("A", a), ("B", b)):
            root = wrapping_folder([entry.name for entry in container.entries])
            for entry in container.entries:
                self._from[f"{domain}/{entry.name[len(root) :]}"] = container, entry
            self.skipped += [(f"{domain}/{name}", reason) for name, reason in container.skipped]
        self.entries = sort_entries([replace(entry, name=name) for name, (_, entry) in self._from.items()])

    def read(self, entry: Entry) -> bytes:
        container, inner = self._from[entry.name]
        return container.read(inner)
