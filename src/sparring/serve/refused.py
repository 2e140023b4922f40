"""What a request is refused with: a status, and words for whoever reads the page."""

import re
from collections.abc import Mapping

FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")


class Refused(Exception):
    """A request that is not answered.

    Arguments:
        status: of HTTP, 400 to 503.
        words: what was wrong; nothing of the request is repeated in it.
        headers: to send along.
    """

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, dict(headers or {})


class Busy(Refused):
    """The queue is full."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__(503, "too much to do at once", {"Retry-After": str(seconds)})


def without_folders(words: str) -> str:
    """What is said of files, by their names alone: where they lie is nobody else's business.

    >>> without_folders("no file /home/me/runs/a.png: 1/2 of it")
    'no file a.png: 1/2 of it'
    """
    return FOLDERS.sub("", words)
