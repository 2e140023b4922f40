"""First pass over image files: the header and the SHA-256 of each, before any is decoded.

Each file is read once. The results are kept beside the cache by (name, size, times, inode), so that a big
folder that did not change is not read again; a file changed in the last seconds is never trusted.
"""

import contextlib
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from sparring.core.errors import InvalidImageError
from sparring.core.progress import ProgressMonitor
from sparring.data.cache import cache_roots, read_checksummed_json, write_checksummed_json
from sparring.data.images.decode import decode, read_header
from sparring.data.images.resize import crop_half
from sparring.data.readers.container import Container, Entry

SURVEY_FORMAT = 1
OPEN_IMAGES_BYTES = 64 * 2**20  # of images whose header was read and that are not decoded yet
ALPHA_SAMPLE = 256
GREY_TOLERANCE = 6  # largest difference between the colour channels of a grey pixel, of 255


@dataclass
class FileInfo:
    """The SHA-256 and header of one file, or the `reason` for which it can't be used.

    `pixel_facts` holds whether the decoded pixels are coloured or transparent, as far as that was needed.
    """

    digest: str = ""
    height: int = 0
    width: int = 0
    mode: str = ""
    colour: bool = False
    alpha: bool = False
    reason: str = ""
    pixel_facts: dict[str, bool] = field(default_factory=dict)


class Survey:
    """The headers and digests of a container's files, in the order of its entries.

    Arguments:
        container: with the files.
        monitor: counts the files and polls for a stop.
    """

    def __init__(self, container: Container, monitor: ProgressMonitor) -> None:
        self.container, self.entries, self.monitor = container, container.entries, monitor
        self._path = cache_roots()[0] / "index" / f"{_short_hash(container.kind, container.identity)}.json"
        self._open_images: dict[int, Image.Image] = {}
        self._bytes_left = OPEN_IMAGES_BYTES
        known = self._load_index()
        self._changed = False
        self.file_infos = [self._read_info(number, entry, known) for number, entry in enumerate(self.entries)]

    def _load_index(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
            document = read_checksummed_json(self._path)
            if document is not None and document["format"] == SURVEY_FORMAT:
                return dict(document["files"])
        return {}

    def _read_info(self, number: int, entry: Entry, known: dict[str, Any]) -> FileInfo:
        self.monitor.step()
        old = known.get(entry.name)
        if entry.stamp and old is not None and old[0] == entry.stamp:
            return FileInfo(*old[1:])
        self._changed = True
        try:
            data = self.container.read(entry)
            header, image = read_header(data)
        except InvalidImageError as error:
            return FileInfo(reason=str(error))
        self._bytes_left -= len(data) + 4096
        if self._bytes_left > 0:
            self._open_images[number] = image
        return FileInfo(hashlib.sha256(data).hexdigest(), **vars(header))

    def read_image(self, number: int) -> Image.Image | bytes:
        """The input of `decode`: the image opened for its header (the first time only), or the file's content."""
        image = self._open_images.pop(number, None)
        return image if image is not None else self.container.read(self.entries[number])

    def usable(self) -> list[int]:
        """Indices of the entries that can be used."""
        return [number for number, info in enumerate(self.file_infos) if not info.reason]

    def skipped(self) -> list[tuple[str, str]]:
        """(name, reason) of the entries that can't be used."""
        pairs = zip(self.entries, self.file_infos, strict=True)
        return [(entry.name, info.reason) for entry, info in pairs if info.reason]

    def save(self) -> None:
        """Write the results to the cache; a folder that can't be written to only means that files are read again."""
        pairs = zip(self.entries, self.file_infos, strict=True)
        files = {entry.name: [entry.stamp, *vars(info).values()] for entry, info in pairs if entry.stamp}
        if files and self._changed:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_checksummed_json(self._path, {"format": SURVEY_FORMAT, "files": files})

    def channels(self, usable: list[int], half: str = "") -> tuple[int, str]:
        """The number of channels for these images (or their `left` or `right` halves), and the reason as a sentence.

        4 if most files have transparent pixels (an estimate from up to 256 files with an alpha channel), else 3 if any
        file has coloured pixels, else 1.
        """
        with_alpha = [number for number in _scatter_order(usable) if self.file_infos[number].alpha]
        if 2 * len(with_alpha) > len(usable):
            sample = with_alpha[:ALPHA_SAMPLE]
            transparent = sum(self._pixel_fact(number, "alpha", half) for number in sample)
            if 2 * transparent * len(with_alpha) > len(usable) * len(sample):
                return 4, "4 channels: most images are transparent in places"
        coloured = (number for number in _scatter_order(usable) if self.file_infos[number].colour)
        if any(self._pixel_fact(number, "colour", half) for number in coloured):
            return 3, "3 channels: there is colour"
        return 1, "1 channel: all images are grey"

    def _pixel_fact(self, number: int, fact: str, half: str) -> bool:
        info = self.file_infos[number]
        if half + fact not in info.pixel_facts:
            self.monitor.poll()
            facts = self._inspect_pixels(self.entries[number], half)
            info.pixel_facts.update({half + name: value for name, value in facts.items()})
            self._changed = True
        return info.pixel_facts[half + fact]

    def _inspect_pixels(self, entry: Entry, half: str) -> dict[str, bool]:
        try:
            image, _ = decode(self.container.read(entry))
        except InvalidImageError:
            return {"alpha": False, "colour": False}
        pixels = np.asarray(crop_half(image, half).convert("RGBA")).reshape(-1, 4)
        visible = pixels[pixels[:, 3] > 0, :3]
        difference = visible.max(1).astype(int) - visible.min(1) if len(visible) else np.zeros(1)
        return {
            "alpha": bool((pixels[:, 3] < 255).any()),
            "colour": bool((difference > GREY_TOLERANCE).any()),
        }


def _scatter_order(numbers: list[int]) -> list[int]:
    """The numbers in a scattered order, so that the first of them are a sample of all."""
    return sorted(numbers, key=lambda number: (number * 0x9E3779B1) % 2**32)


def _short_hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
