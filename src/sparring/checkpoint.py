"""Checkpoints: folders that are there whole or not at all, and that say themselves whether they are undamaged.

`checkpoints/<images>/` holds `tensors.safetensors`, `state.json` and `manifest.json` (size and SHA-256 of the others). It is
written under a temporary name, forced to the disk, and renamed. There is no pointer to the latest one: that is the newest
whose manifest verifies.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from sparring import record, storage, tensorfile
from sparring.errors import CheckpointWriteError, CorruptFileError

FOLDER = "checkpoints"


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: its files' contents."""

    images: int
    tensors: bytes
    state: dict[str, Any]

    def load(self, table: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Its tensors, which must have the names, types and shapes of `table`."""
        return tensorfile.parse(self.tensors, table)


def save(run: Path, images: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; one that is there for the same number of images is replaced.

    Raises:
        CheckpointWriteError: the disk is full, or the like. What was there before is intact.
    """
    folder = run / FOLDER
    temporary, final = folder / f"{storage.TEMPORARY}{images:012d}", folder / f"{images:012d}"
    files = {
        "tensors.safetensors": tensorfile.render(tensors),
        "state.json": json.dumps(state, allow_nan=False, indent=1).encode(),
    }
    manifest = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    needed = sum(map(len, files.values()))
    try:
        storage.make_folder(folder)
        storage.remove(temporary)
        storage.make_folder(temporary)
        for name, data in files.items():
            storage.write(temporary / name, data)
        storage.write(temporary / "manifest.json", json.dumps(manifest, indent=1).encode())
        storage.sync_folder(temporary)
        storage.discard(final)
        storage.replace(temporary, final)
    except OSError as error:
        _tidy(temporary)
        raise unwritten(final, error, needed) from error


def unwritten(path: Path, error: OSError, needed: int = 0) -> CheckpointWriteError:
    """The error that says why a file of a run could not be written."""
    what = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
    there = next((parent for parent in path.parents if parent.exists()), None)
    free = f"; {shutil.disk_usage(there).free:,} bytes are free" if there is not None else ""
    needs = f" ({needed:,} bytes)" if needed else ""
    return CheckpointWriteError(
        f"could not write {path}{needs}: {what}{free}",
        "a folder that can be written to",
        "free some space, or mend the permissions, and give the same command again; older checkpoints are intact",
    )


def _tidy(path: Path) -> None:
    try:
        storage.remove(path)
    except OSError:
        pass  # what can't be removed now is removed at the next start


def verified(run: Path) -> Iterator[Checkpoint | CorruptFileError]:
    """The checkpoints of a run, newest first, each read and verified; in place of a damaged one the error that tells how."""
    for images in reversed(numbers(run)):
        try:
            yield read(run, images)
        except CorruptFileError as error:
            yield error


def numbers(run: Path) -> list[int]:
    """The finished checkpoints of a run, in images seen, ascending."""
    names = storage.names(run / FOLDER)
    return [int(name) for name in names if name.isascii() and name.isdigit() and name == f"{int(name):012d}"]


def read(run: Path, images: int) -> Checkpoint:
    """Read and verify one checkpoint.

    Raises:
        CorruptFileError: a file is missing, or is not as long or not what it was when it was written.
    """
    folder = run / FOLDER / f"{images:012d}"
    try:
        manifest = json.loads(storage.read(folder / "manifest.json").decode())
        contents = {
            name: _checked(folder / name, manifest[name]) for name in ("tensors.safetensors", "state.json")
        }
        state = json.loads(contents["state.json"].decode())
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptFileError):
            raise
        raise CorruptFileError(
            f"{folder}: {type(error).__name__}: {error}", "a whole checkpoint", "use an older one"
        ) from error
    if not isinstance(state, dict):
        raise CorruptFileError(
            f"{folder / 'state.json'} holds no table", "a whole checkpoint", "use an older one"
        )
    return Checkpoint(images, contents["tensors.safetensors"], state)


def _checked(path: Path, entry: Mapping[str, Any]) -> bytes:
    data = storage.read(path)
    if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise CorruptFileError(
            f"{path} is not what was written", "the size and SHA-256 of its manifest", "use an older one"
        )
    return data


def clean(run: Path) -> None:
    """Remove what an interrupted save left behind. Only for the holder of the run's lock."""
    ours = (FOLDER, "samples", "") if (run / "run.json").exists() else (FOLDER,)
    for folder in ours:
        for name in storage.names(run / folder):
            if name.startswith(storage.TEMPORARY):
                storage.remove(run / folder / name)


def retained(images: list[int], best: int | None = None) -> set[int]:
    """Which checkpoints to keep: the last two, the best, and older ones at gaps that double with age.

    >>> sorted(retained([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    [10, 50, 70, 80, 90]
    """
    if not images:
        return set()
    ascending = sorted(images)
    newest, gap = ascending[-1], max(1, ascending[-1] - ascending[-2]) if len(ascending) > 1 else 1
    oldest_of_age: dict[int, int] = {}
    for number in reversed(ascending):
        oldest_of_age[((newest - number) // gap).bit_length()] = number
    return {*ascending[-2:], *oldest_of_age.values(), *({best} if best in images else set())}


def forget(run: Path, images: int) -> None:
    """Remove one checkpoint, from which training can't go on."""
    storage.discard(run / FOLDER / f"{images:012d}")


def best(run: Path) -> int | None:
    """The checkpoint with the best value of the run's metric, in images seen; None if none was evaluated.

    The best of `evaluations.jsonl` whose checkpoint is there. A run that evaluates as it goes saves a checkpoint at every
    evaluation that is better than all before, so this is the best of all.
    """
    there = set(numbers(run))
    found = record.best([row for row in record.evaluations(run) if row["images"] in there])
    return None if found is None else int(found["images"])


def retire(run: Path, best: int | None = None) -> None:
    """Remove the checkpoints that are not retained."""
    there = numbers(run)
    for images in sorted(set(there) - retained(there, best)):
        storage.discard(run / FOLDER / f"{images:012d}")
