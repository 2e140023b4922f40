"""Values out of files that may be missing, torn or odd."""

import json
import math
from typing import Any

LETTERS = 300  # of a value that is shown


def dig(document: Any, *names: str) -> dict[str, Any]:
    """A table inside of tables; an empty one if there is none."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def number(value: Any) -> bool:
    """Whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def text(value: Any) -> str:
    """A value as a short text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= LETTERS else shown[:LETTERS] + " …"
