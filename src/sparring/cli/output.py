"""Output of commands: lines on the terminal, files at `--out`, and the JSON document at `--json`. No torch
here: `doctor` must be quick.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.terminal.console import Console

STDOUT = Path("-")


def open_console(*, quiet: bool = False, json: Path | None = None) -> Console:
    """The console of a command: on standard output, or on standard error where `--json` takes standard output."""
    return Console.for_stdout(quiet=quiet, use_stderr=json == STDOUT)


def print_lines(quiet: bool, *lines: str) -> None:
    """Print lines on standard output, unless `quiet`."""
    with open_console(quiet=quiet) as console:
        console.print(*lines)


@contextlib.contextmanager
def writing(path: Path, option: str = "--out") -> Iterator[None]:
    """Report errors of the file system inside the context as a mistake in the option that named `path`.

    Raises:
        SparringError: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SparringError(
            f"{option} {path}: {error}", "a path that can be written to", f"choose another {option}"
        ) from error


def write_file(path: Path, content: bytes, option: str = "--out") -> None:
    """Write a file, and the folders above it.

    Raises:
        SparringError: it can't be written.
    """
    with writing(path, option):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_json(document: Mapping[str, Any], path: Path | None) -> None:
    """Write the result of a command where `--json` says: indented to a file, or as one line to standard output.

    Arguments:
        path: of the file; `STDOUT` prints; None does nothing.

    Raises:
        SparringError: the file can't be written.
    """
    if path == STDOUT:
        print(json.dumps(document), flush=True)
    elif path is not None:
        with writing(path, "--json"):
            path.parent.mkdir(parents=True, exist_ok=True)
            storage.write_atomic(path, (json.dumps(document, indent=1) + "\n").encode())
