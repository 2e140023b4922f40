"""Small JSON files that know whether they are whole: the first line is the SHA-256 of the rest."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_checked(path: Path, document: dict[str, Any]) -> None:
    """A JSON table with its own digest in its first line, put in place at once and durably."""
    body = json.dumps(document, separators=(",", ":")).encode()
    descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def read_checked(path: Path) -> dict[str, Any] | None:
    """The table, or None where there is none that is intact."""
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return None
    document = json.loads(body)
    return document if isinstance(document, dict) else None
