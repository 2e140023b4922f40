"""A folder that is written whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from sparring import storage
from sparring.errors import SparringError
from sparring.export.files import unwritable

OURS = "EXPORTED.txt"


def check_folder(out: Path, mark: str) -> None:
    """Raises SparringError where something is that is no earlier export; see `write_folder`."""
    ours = (out / mark).is_file() and (out / OURS).is_file()
    if (storage.names(out) and not ours) or out.is_file() or out.name in ("", ".."):
        raise SparringError(f"--out {out} is there, and is no export", "a new folder", "choose another --out")


def write_folder(out: Path, content: Mapping[str, bytes], mark: str) -> None:
    """Write files into a new folder, or in the place of an earlier export.

    Arguments:
        content: by name, with '/' below a folder.
        mark: the file by which an earlier export is known. Any other folder with something in it stays as it is.

    Raises:
        SparringError: something else is there, or the place can't be written to.
    """
    check_folder(out, mark)
    temporary = out.with_name(f"{storage.TEMPORARY}{out.name}")
    try:
        storage.remove(temporary)
        for name, data in {
            **content,
            OURS: b"Written by `sparring export`, which replaces this folder as a whole.\n",
        }.items():
            storage.make_folder((temporary / name).parent)
            storage.write(temporary / name, data)
        storage.discard(out)
        storage.replace(temporary, out)
    except OSError as error:
        raise unwritable(out, error) from error
