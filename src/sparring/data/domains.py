"""Which pictures of a folder or zip belong to which domain and to which part, told by the names of the folders.

    A/ B/    trainA/ trainB/ testA/ testB/    train/A/ train/B/ test/A/ ...    A/train/ A/test/ B/train/ ...    train/ val/ test/

Of the parts, `test` (else `val`) is kept apart for judging; everything in no part is for training. The layouts are those of the
data sets of pix2pix and CycleGAN.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sparring.data.entries import Entry
from sparring.data.labels import root_of

FOLDER = re.compile(r"(?P<part>train|val|valid|validation|test|eval)?(?P<side>[AB])?")
PARTS = {"valid": "val", "validation": "val", "eval": "test", "": "train"}
ALIKE = 0.9  # so many of all pictures must be in A or B, and have a partner, to be taken as pairs without being told
Couple = tuple[Entry, Entry]


@dataclass(frozen=True)
class Place:
    """Where a picture stands: its part, its domain ("" for none), and its name within both without the ending.

    `firm`: its domain stands in a name such as `trainA`; a folder that is called `A` alone may be a class.
    """

    part: str
    side: str
    name: str
    firm: bool


def place_of(name: str) -> Place:
    """Where a name relative to the root stands.

    >>> place_of("trainA/1.jpg"), place_of("B/test/x/2.png")
    (Place(part='train', side='A', name='1', firm=True), Place(part='test', side='B', name='x/2', firm=False))
    """
    *folders, last = name.split("/")
    part, side, firm = "", "", False
    while folders and (match := FOLDER.fullmatch(folders[0])) and folders[0]:
        if (part and match["part"]) or (side and match["side"]):
            break
        part, side = part or match["part"] or "", side or match["side"] or ""
        firm |= bool(match["part"] and match["side"])
        folders = folders[1:]
    stem = last.rpartition(".")[0] or last
    return Place(PARTS.get(part, part), side, "/".join([*folders, stem]), firm)


@dataclass
class Division:
    """The entries of a container by part and domain.

    Arguments:
        parts: by part (`train`, `test`, `val`) and domain (`A`, `B`, or "" for none).
        names: from an entry's name to its name within part and domain.
        firm: whether the names of the folders leave no doubt.
    """

    parts: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    firm: bool = False

    def side(self, side: str) -> list[Entry]:
        """All entries of a domain, in the parts for training and judging."""
        return [entry for part in self.used() for entry in self.parts[part].get(side, [])]

    def used(self) -> tuple[str, ...]:
        """The part to train on and the part to judge by, as far as they are there."""
        held = next((part for part in ("test", "val") if part in self.parts), None)
        return tuple(part for part in ("train", held) if part in self.parts and part)

    @property
    def parted(self) -> bool:
        """Whether both domains have pictures to judge by, apart from those to train on."""
        used = self.used()
        return len(used) == 2 and all(self.parts[part].get(side) for part in used for side in "AB")

    @property
    def two(self) -> bool:
        """Whether there are pictures of both domains."""
        return bool(self.side("A") and self.side("B"))

    @property
    def nearly_all(self) -> bool:
        """Whether so many pictures are of A or B that the folders of these names are hardly two classes among others."""
        count = sum(len(entries) for part in self.used() for entries in self.parts[part].values())
        return len(self.side("A")) + len(self.side("B")) >= ALIKE * count

    def alike(self, part: str) -> bool:
        """Whether nearly all pictures of this part have a partner by name."""
        sides = self.parts[part]
        a, b = sides.get("A", []), sides.get("B", [])
        return 2 * len(couples(a, b, self.names)[0]) >= ALIKE * max(1, len(a) + len(b))


def divide(entries: Sequence[Entry]) -> Division:
    """Sort the entries of a container by the names of their folders."""
    division = Division()
    root = wrapping([entry.name for entry in entries])
    for entry in entries:
        place = place_of(entry.name[len(root) :])
        division.parts.setdefault(place.part, {}).setdefault(place.side, []).append(entry)
        division.names[entry.name] = place.name
        division.firm |= place.firm
    if "train" not in division.parts and division.parts:
        part = division.used()[0]
        division.parts["train"] = division.parts.pop(part)
    return division


def wrapping(names: Sequence[str]) -> str:
    """The folder that wraps all names, but for those that say something (`train/`, with all in it)."""
    kept = []
    for folder in root_of(names).split("/")[:-1]:
        if FOLDER.fullmatch(folder):
            break
        kept.append(f"{folder}/")
    return "".join(kept)


def couples(
    a: Sequence[Entry], b: Sequence[Entry], names: dict[str, str]
) -> tuple[list[Couple], list[tuple[str, str]]]:
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
                skipped.append((entry.name, f"another picture of this name: {first.name}"))
    shared = sides[0].keys() & sides[1].keys()
    for side, word in ((sides[0], "B"), (sides[1], "A")):
        skipped += [(side[name].name, f"no partner in {word}") for name in side if name not in shared]
    return [(sides[0][name], sides[1][name]) for name in sorted(shared)], sorted(skipped)
