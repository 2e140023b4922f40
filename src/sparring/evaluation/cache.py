"""Features of real samples on the disk, so that a second evaluation is quick. What can't be read is made again."""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

import torch

from sparring import tensorfile
from sparring.data.places import roots
from sparring.errors import CorruptFileError
from sparring.features.extracted import Extracted

FORMAT = 1
FOLDER = "features"
KEPT = 20  # files; the oldest go first
Name = tuple[str, str, str]  # an extractor's name, digest and rule


def features(key: str, extractor: Name) -> Extracted | None:
    """The features kept for the samples of this key, the first so many of them."""
    path = _place(key, extractor)
    try:
        data = path.read_bytes()
        digest, body = data[:64], data[64:]
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        table, _ = tensorfile.header(body)
        expected = {name: torch.empty(entry["shape"], device="meta") for name, entry in table.items()}
        found = tensorfile.parse(body, expected)
        os.utime(path)
        return Extracted(found["features"], found.get("logits"))
    except (OSError, CorruptFileError, KeyError, TypeError, ValueError, RuntimeError):
        return None


def keep(key: str, extractor: Name, extracted: Extracted) -> None:
    """Keep them, if there is room: it is never worth an error."""
    path = _place(key, extractor)
    tensors = {"features": extracted.features.float()}
    if extracted.logits is not None:
        tensors["logits"] = extracted.logits.float()
    body = tensorfile.render(tensors)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + body)
            os.replace(name, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name)
        _sweep(path.parent)


def _place(key: str, extractor: Name) -> Path:
    text = json.dumps([FORMAT, key, *extractor])
    return roots()[0] / FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()}.bin"


def _sweep(folder: Path) -> None:
    files = sorted(folder.glob("*.bin"), key=lambda path: path.stat().st_mtime)
    for path in files[:-KEPT]:
        path.unlink(missing_ok=True)
