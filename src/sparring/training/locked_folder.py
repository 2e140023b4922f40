"""The locked folder of a run: one process writes to it, and what fails in the main process fails in all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import ConfigError, RunLockedError, SparringError
from sparring.core.runtime import Runtime
from sparring.runs import checkpoint
from sparring.runs.run_json import load_run_json


@contextlib.contextmanager
def main_process_first(runtime: Runtime) -> Iterator[None]:
    """Runs the block while the other processes wait; if it fails in the main process, all of them raise."""
    failure: Exception | None = None
    try:
        yield
    except (SparringError, OSError) as error:
        failure = error
    has_failed = runtime.any_process(failure is not None)
    if failure is not None:
        raise failure
    if has_failed:
        raise SparringError(
            "the main process could not start", "a run that starts", "see the error of process 0"
        )


@contextlib.contextmanager
def released_on_error(lock: storage.RunLock) -> Iterator[None]:
    """Releases the lock if the block fails."""
    try:
        yield
    except BaseException:
        lock.release()
        raise


def lock_run_dir(out: Path, run_json: dict[str, Any] | None) -> storage.RunLock:
    """Lock the folder, check that `run.json` is still the one that was read, and remove what interrupted writes left."""
    try:
        storage.make_folder(out)
        lock = storage.RunLock(out)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ConfigError(
            f"--out {out}: {error}", "a folder that can be written to", "choose another --out"
        ) from error
    with released_on_error(lock):
        if load_run_json(out) != run_json:
            raise RunLockedError(
                f"{out} was begun by another process just now",
                "one writer at a time",
                "give the same command again",
            )
        checkpoint.remove_leftovers(out)
    return lock
