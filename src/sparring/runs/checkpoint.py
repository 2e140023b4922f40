"""Checkpoints: folders written atomically, with a manifest of SHA-256 digests that is verified on reading.

`checkpoints/<images>/` holds `tensors.safetensors`, `state.json` and `manifest.json` (size and SHA-256 of the
others). It is written under a temporary name, forced to the disk, and renamed. There is no pointer to the
latest one: that is the newest whose manifest verifies.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor, nn

from sparring.core import storage, tensor_file
from sparring.core.errors import CheckpointWriteError, CorruptFileError, SparringError
from sparring.runs import records
from sparring.runs.best import Verdict, best_evaluation, compare_evaluations

CHECKPOINTS_FOLDER = "checkpoints"


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a verified checkpoint.

    Arguments:
        images: the clock when it was saved, in images seen.
        tensors: the bytes of `tensors.safetensors`.
        state: the content of `state.json`.
    """

    images: int
    tensors: bytes
    state: dict[str, Any]

    def load(self, table: Mapping[str, Tensor], *, can_lack: bool = False) -> dict[str, Tensor]:
        """All tensors.

        Arguments:
            table: tensors with the expected names, types and shapes.
            can_lack: whether some may be missing or be there in excess, as the settings have changed since.

        Raises:
            CorruptFileError: a name, type or shape differs.
        """
        return tensor_file.from_bytes(self.tensors, table, can_differ=can_lack)

    def with_prefix(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `prefix`, by the rest of their names.

        Raises:
            CorruptFileError: the bytes are no safetensors file.
        """
        tensor_file.read_header(self.tensors)
        try:
            tensors = safetensors.torch.load(self.tensors)
        except Exception as error:  # the library raises its own errors
            raise CorruptFileError(
                f"checkpoint of image {self.images:,}: {str(error)[:200]}", "whole tensors", "use another run"
            ) from error
        return {n.removeprefix(prefix): value for n, value in tensors.items() if n.startswith(prefix)}

    def load_module(self, module: nn.Module, prefix: str) -> None:
        """Load the weights of one module.

        Arguments:
            module: on the CPU.
            prefix: of its tensors' names in the checkpoint, such as `game.`.

        Raises:
            CorruptFileError: they are not the weights of such a module.
        """
        try:
            module.load_state_dict(self.with_prefix(prefix))
        except RuntimeError as error:
            raise CorruptFileError(
                f"checkpoint of image {self.images:,}: {str(error)[:200]}",
                f"weights of a {type(module).__name__}",
                "use another run",
            ) from error


def save(run: Path, images: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint; an existing one of the same number of images is replaced.

    Arguments:
        images: the clock, in images seen; the folder's name.
        tensors: by name.
        state: everything else, as JSON.

    Raises:
        CheckpointWriteError: the disk is full, or the like. Older checkpoints are intact.
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
    """The error to raise when a file of a run could not be written; `needed` is its size in bytes."""
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
        pass  # removed at the next start


def iterate_verified(run: Path) -> Iterator[Checkpoint | CorruptFileError]:
    """The checkpoints of a run, newest first, read and verified; for a damaged one the error instead."""
    for images in reversed(list_checkpoints(run)):
        try:
            yield read(run, images)
        except CorruptFileError as error:
            yield error


def list_checkpoints(run: Path) -> list[int]:
    """The clocks of the finished checkpoints of a run, in images seen, ascending."""
    names = storage.list_folder(run / CHECKPOINTS_FOLDER)
    return [int(name) for name in names if name.isascii() and name.isdigit() and name == f"{int(name):012d}"]


def read(run: Path, images: int) -> Checkpoint:
    """Read and verify one checkpoint.

    Raises:
        CorruptFileError: a file is missing, or its size or digest is not that of the manifest.
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
            f"{folder / 'state.json'} holds no object", "a whole checkpoint", "use an older one"
        )
    return Checkpoint(images, contents["tensors.safetensors"], state)


def _read_verified(path: Path, entry: Mapping[str, Any]) -> bytes:
    data = storage.read(path)
    if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise CorruptFileError(
            f"{path} was changed after it was written",
            "the size and SHA-256 of its manifest",
            "use an older one",
        )
    return data


def remove_leftovers(run: Path) -> None:
    """Remove what interrupted writes left behind. Only for the holder of the run's lock."""
    for path in find_leftovers(run):
        storage.remove(path)


def find_leftovers(run: Path) -> list[Path]:
    """The temporary files and folders that interrupted writes left behind."""
    is_run = (run / records.RUN_FILE).exists()
    folders = (CHECKPOINTS_FOLDER, "samples", "") if is_run else (CHECKPOINTS_FOLDER,)
    return [
        run / folder / name
        for folder in folders
        for name in storage.list_folder(run / folder)
        if name.startswith(storage.TEMPORARY_PREFIX)
    ]


def select_to_keep(images: list[int], best: int | None = None) -> set[int]:
    """Which checkpoints to keep: the last two, the best, and older ones at gaps that double with their age.

    >>> sorted(select_to_keep([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    [10, 20, 60, 80, 90]
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
    """Remove one checkpoint."""
    storage.remove_atomic(run / CHECKPOINTS_FOLDER / f"{images:012d}")


def best_checkpoint(run: Path) -> int | None:
    """The checkpoint to use by the run's metric, in images seen: of the newest evaluation, or of the best one where the
    newest is clearly worse (`best.Verdict.choice`); None if none was evaluated.

    A run saves a checkpoint at every evaluation that is better than all before, so the best one is there unless it was lost.
    """
    verdict = stored_verdict(run)
    return None if verdict is None else int(verdict.choice["images"])


def stored_verdict(run: Path) -> Verdict | None:
    """The verdict on the evaluations whose checkpoints are there; None without any."""
    existing = set(list_checkpoints(run))
    return compare_evaluations([row for row in records.read_evaluations(run) if row["images"] in existing])


def resolve_checkpoint(run: Path, name: str | int) -> int:
    """The images of the checkpoint that `--checkpoint` names: `best`, `last`, or a number of images.

    Raises:
        SparringError: it is none of these, or there is no such checkpoint.
    """
    existing = list_checkpoints(run)
    if name == "best":
        chosen = best_checkpoint(run)
        reason = "no checkpoint was evaluated" if existing else "there is none"
    elif name == "last":
        chosen, reason = max(existing, default=None), "there is none"
    else:
        digits = str(name).replace(",", "").replace("_", "")
        chosen = int(digits) if digits.isascii() and digits.isdigit() and int(digits) in existing else None
        reason = "there are " + (", ".join(f"{number:,}" for number in existing) or "none")
    if chosen is None:
        raise SparringError(
            f"--checkpoint {name} of {run}: {reason}",
            "best, last, or the images of a checkpoint",
            "choose one of these, or leave the option out to take generator.safetensors",
        )
    return chosen


def prune(run: Path, needed: Set[int] = frozenset()) -> None:
    """Remove the checkpoints that `select_to_keep` does not select; the best evaluation's and `needed` ones stay."""
    existing = list_checkpoints(run)
    row = best_evaluation([row for row in records.read_evaluations(run) if row["images"] in existing])
    best = None if row is None else int(row["images"])
    for images in sorted(set(existing) - select_to_keep(existing, best) - needed):
        storage.remove_atomic(run / CHECKPOINTS_FOLDER / f"{images:012d}")
