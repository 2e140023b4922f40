"""The first pass over picture files: what each one is, before any is decoded.

Each file is read once, for its digest and its header. The findings are kept beside the cache by (name, size,
times, inode), so that a big folder that did not change is not read again; a file changed in the last seconds
is never trusted.
"""

import contextlib
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from sparring.data.checked import read_checked, write_checked
from sparring.data.decode import decode, probe
from sparring.data.entries import Container, Entry
from sparring.data.fit import half_of
from sparring.data.places import roots
from sparring.data.watch import Watch
from sparring.errors import InvalidImageError

INDEX_FORMAT = 1
KEPT_BYTES = 64 * 2**20  # of opened pictures that wait for their decoding
ALPHA_SAMPLE = 256
FAINT = 6  # a difference between colour channels, of 255, that is still grey


@dataclass
class Finding:
    """What is known of one file: its digest and header, or why it is no use; `seen` adds what decoding showed."""

    digest: str = ""
    height: int = 0
    width: int = 0
    mode: str = ""
    colour: bool = False
    alpha: bool = False
    reason: str = ""
    seen: dict[str, bool] = field(default_factory=dict)


class Survey:
    """Findings for the entries of a container, in their order."""

    def __init__(self, container: Container, watch: Watch) -> None:
        self.container, self.entries, self.watch = container, container.entries, watch
        self._path = roots()[0] / "index" / f"{_short(container.kind, container.identity)}.json"
        self._opened: dict[int, Image.Image] = {}
        self._room = KEPT_BYTES
        known = self._known()
        self._changed = False
        self.findings = [self._find(number, entry, known) for number, entry in enumerate(self.entries)]

    def _known(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
            document = read_checked(self._path)
            if document is not None and document["format"] == INDEX_FORMAT:
                return dict(document["files"])
        return {}

    def _find(self, number: int, entry: Entry, known: dict[str, Any]) -> Finding:
        self.watch.step()
        old = known.get(entry.name)
        if entry.stamp and old is not None and old[0] == entry.stamp:
            return Finding(*old[1:])
        self._changed = True
        try:
            data = self.container.read(entry)
            header, image = probe(data)
        except InvalidImageError as error:
            return Finding(reason=str(error))
        self._room -= len(data) + 4096
        if self._room > 0:
            self._opened[number] = image
        return Finding(hashlib.sha256(data).hexdigest(), **vars(header))

    def picture(self, number: int) -> Image.Image | bytes:
        """For `decode`: the picture as opened for its header, once, or the file's content read again."""
        image = self._opened.pop(number, None)
        return image if image is not None else self.container.read(self.entries[number])

    def usable(self) -> list[int]:
        """Numbers of the entries whose header is right."""
        return [number for number, finding in enumerate(self.findings) if not finding.reason]

    def skipped(self) -> list[tuple[str, str]]:
        """(name, reason) of the others."""
        pairs = zip(self.entries, self.findings, strict=True)
        return [(entry.name, finding.reason) for entry, finding in pairs if finding.reason]

    def save(self) -> None:
        """Keep the findings for the next time; a place that can't be written to costs only time."""
        pairs = zip(self.entries, self.findings, strict=True)
        files = {
            entry.name: [entry.stamp, *vars(finding).values()] for entry, finding in pairs if entry.stamp
        }
        if files and self._changed:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_checked(self._path, {"format": INDEX_FORMAT, "files": files})

    def channels(self, usable: list[int], half: str = "") -> tuple[int, str]:
        """How many channels suit these pictures (or their `left` or `right` halves): 4 where most files are really
        transparent in places (judged by up to 256 of those that may be), else 3 where any file really shows colour, else 1."""
        clear = [number for number in _spread(usable) if self.findings[number].alpha]
        if 2 * len(clear) > len(usable):
            looked = clear[:ALPHA_SAMPLE]
            real = sum(self._seen(number, "alpha", half) for number in looked)
            if 2 * real * len(clear) > len(usable) * len(looked):
                return 4, "4 channels: most pictures are transparent in places"
        coloured = (number for number in _spread(usable) if self.findings[number].colour)
        if any(self._seen(number, "colour", half) for number in coloured):
            return 3, "3 channels: there is colour"
        return 1, "1 channel: all pictures are grey"

    def _seen(self, number: int, what: str, half: str) -> bool:
        finding = self.findings[number]
        if half + what not in finding.seen:
            self.watch.poll()
            found = self._look(self.entries[number], half)
            finding.seen.update({half + name: value for name, value in found.items()})
            self._changed = True
        return finding.seen[half + what]

    def _look(self, entry: Entry, half: str) -> dict[str, bool]:
        try:
            image, _ = decode(self.container.read(entry))
        except InvalidImageError:
            return {"alpha": False, "colour": False}
        pixels = np.asarray(half_of(image, half).convert("RGBA")).reshape(-1, 4)
        shown = pixels[pixels[:, 3] > 0, :3]
        difference = shown.max(1).astype(int) - shown.min(1) if len(shown) else np.zeros(1)
        return {"alpha": bool((pixels[:, 3] < 255).any()), "colour": bool((difference > FAINT).any())}


def _spread(numbers: list[int]) -> list[int]:
    """The same numbers in an order that jumps about, so that a few of them stand for all."""
    return sorted(numbers, key=lambda number: (number * 0x9E3779B1) % 2**32)


def _short(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
