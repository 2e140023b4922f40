"""What the user wrote for DATA: a path or a built-in name, and the classes chosen from it."""

import os
from collections.abc import Collection


def split_source(source: str, builtin: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The path or built-in name, and the classes after its last fitting colon.

    A path that exists wins over every other reading, so that colons in names (and Windows drives) do no harm.

    >>> split_source("animals:cat,dog", ["animals"]), split_source("animals", ["animals"])
    (('animals', ('cat', 'dog')), ('animals', ()))
    """
    if os.path.lexists(source):
        return source, ()
    place = source.rfind(":")
    while place > 0:
        name, classes = source[:place], source[place + 1 :].split(",")
        if name in builtin or os.path.lexists(name):
            return name, tuple(dict.fromkeys(text.strip() for text in classes if text.strip()))
        place = source.rfind(":", 0, place)
    return source, ()
