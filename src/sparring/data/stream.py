"""Picture files one after another, at their own sizes: for work that needs only one of them at a time."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from sparring.data.decode import decode
from sparring.data.named import found_files
from sparring.errors import DataError, InvalidImageError

Reading = Callable[[], bytes]


class Stream:
    """The pictures of a folder or zip, or a single file; each is read when its turn comes.

    Arguments:
        place: what to read.

    `skipped` grows by (name, reason) as files turn out not to be usable.

    Raises:
        DataError: there is nothing of this name.
    """

    def __init__(self, place: Path) -> None:
        self.files: list[tuple[str, Reading]]
        if not place.exists():
            raise DataError(f"{place}: does not exist", "a picture, a folder or a zip", "check the path")
        self.files, self.skipped = found_files(place)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[tuple[str, Image.Image]]:
        for name, read in self.files:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # decoders warn of what does not matter here
                    picture = decode(read())[0]
            except InvalidImageError as error:
                self.skipped.append((name, str(error)))
                continue
            yield name, picture
