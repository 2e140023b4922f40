"""Checkpoints: folders written atomically, with a manifest of SHA-256 digests that is verified on reading.

`checkpoints/<images>/` holds `tensors.safetensors`, `state.json` and `manifest.json` (size and SHA-256 of the
others). It is written under a temporary name, forced to the disk, and renamed. There is no pointer to the
latest one: that is the newest whose manifest verifies.
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

from sparring.core import storage, tensor_file
from sparring.core.errors import CheckpointWriteError, CorruptFileError
from sparring.runs import records

CHECKPOINTS_FOLDER = "checkpoints"


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: its files' contents."""

    images: int
    tensors: bytes
    state: dict[str, Any]

    def load(self, table: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Its tensors, which must have the names, types and shapes of `table`."""
        return tensor_file.from_bytes(self.tensors, table)


def save(run: Path, images: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; one that is there for the same number of images is replaced.

    Raises:
        CheckpointWriteError: the disk is full, or the like. What was there before is intact.
    """
    folder = run / CHECKPOINTS_FOLDER
    temporary, final = folder / f"{storage.TEMPORARY_PREFIX}{images:012d}", folder / f"{images:012d}"
    files = {
        "tensors.safetensors": tensor_file.to_bytes(tensors),
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
        storage.remove_atomic(final)
        storage.replace(temporary, final)
    except OSError as error:
        _try_remove(temporary)
        raise write_error(final, error, needed) from error


def write_error(path: Path, error: OSError, needed: int = 0) -> CheckpointWriteError:
    """The error that says why a file of a run could not be written."""
    what = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
    there = next((parent for parent in path.parents if parent.exists()), None)
    free = f"; {shutil.disk_usage(there).free:,} bytes are free" if there is not None else ""
    needs = f" ({needed:,} bytes)" if needed else ""
    return CheckpointWriteError(
        f"could not write {path}{needs}: {what}{free}",
        "a folder that can be written to",
        "free some space, or fix the permissions, and give the same command again; older checkpoints are intact",
    )


def _try_remove(path: Path) -> None:
    try:
        storage.remove(path)
    except OSError:
        pass  # what can't be removed now is removed at the next start


def iterate_verified(run: Path) -> Iterator[Checkpoint | CorruptFileError]:
    """The checkpoints of a run, newest first, each read and verified; in place of a damaged one the error that tells how."""
    for images in reversed(list_checkpoints(run)):
        try:
            yield read(run, images)
        except CorruptFileError as error:
            yield error


def list_checkpoints(run: Path) -> list[int]:
    """The finished checkpoints of a run, in images seen, ascending."""
    names = storage.list_folder(run / CHECKPOINTS_FOLDER)
    return [int(name) for name in names if name.isascii() and name.isdigit() and name == f"{int(name):012d}"]


def read(run: Path, images: int) -> Checkpoint:
    """Read and verify one checkpoint.

    Raises:
        CorruptFileError: a file is missing, or is not as long or not what it was when it was written.
    """
    folder = run / CHECKPOINTS_FOLDER / f"{images:012d}"
    try:
        manifest = json.loads(storage.read(folder / "manifest.json").decode())
        contents = {
            name: _read_verified(folder / name, manifest[name])
            for name in ("tensors.safetensors", "state.json")
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


def _read_verified(path: Path, entry: Mapping[str, Any]) -> bytes:
    data = storage.read(path)
    if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise CorruptFileError(
            f"{path} is not what was written", "the size and SHA-256 of its manifest", "use an older one"
        )
    return data


def remove_leftovers(run: Path) -> None:
    """Remove what an interrupted save left behind. Only for the holder of the run's lock."""
    ours = (CHECKPOINTS_FOLDER, "samples", "") if (run / "run.json").exists() else (CHECKPOINTS_FOLDER,)
    for folder in ours:
        for name in storage.list_folder(run / folder):
            if name.startswith(storage.TEMPORARY_PREFIX):
                storage.remove(run / folder / name)


def select_to_keep(images: list[int], best: int | None = None) -> set[int]:
    """Which checkpoints to keep: the last two, the best, and older ones at gaps that double with age.

    >>> sorted(select_to_keep([10, 20, 30, 40, 50, 60, 70, 80, 90]))
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


def delete(run: Path, images: int) -> None:
    """Remove one checkpoint, from which training can't go on."""
    storage.remove_atomic(run / CHECKPOINTS_FOLDER / f"{images:012d}")


def best_checkpoint(run: Path) -> int | None:
    """The checkpoint with the best value of the run's metric, in images seen; None if none was evaluated.

    The best of `evaluations.jsonl` whose checkpoint is there. A run that evaluates as it goes saves a checkpoint at every
    evaluation that is better than all before, so this is the best of all.
    """
    there = set(list_checkpoints(run))
    found = records.best_evaluation([row for row in records.read_evaluations(run) if row["images"] in there])
    return None if found is None else int(found["images"])


def prune(run: Path, best: int | None = None) -> None:
    """Remove the checkpoints that are not retained."""
    there = list_checkpoints(run)
    for images in sorted(set(there) - select_to_keep(there, best)):
        storage.remove_atomic(run / CHECKPOINTS_FOLDER / f"{images:012d}")
