"""Output files and folders that are written completely or not at all."""

from collections.abc import Mapping
from pathlib import Path

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.export.parity import Parity


class OutputFiles:
    """The files of an export: the main one at `out`, the others beside it, each with its `.parity.json`.

    Arguments:
        out: where the user wants the first.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.content = out, dict[Path, bytes]()

    def add(self, name: str, suffix: str, content: bytes, parity: Parity) -> None:
        """Take in a graph's file: `model.onnx`, then `model.encoder.onnx` and so on."""
        stem = self.out.with_suffix("") if self.out.suffix == suffix else self.out
        path = stem.with_name(stem.name + (suffix if not self.content else f".{name}{suffix}"))
        self.content[path] = content
        self.content[path.with_name(path.name + ".parity.json")] = parity.render()

    def write(self) -> list[Path]:
        """Write all; returns where.

        Raises:
            SparringError: the place can't be written to.
        """
        try:
            storage.make_folder(self.out.parent)
            for path, content in self.content.items():
                storage.write_atomic(path, content)
        except OSError as error:
            raise make_output_error(self.out, error) from error
        return list(self.content)


def make_output_error(out: Path, error: OSError) -> SparringError:
    """The user's words for a place that can't be written to."""
    return SparringError(f"--out {out}: {error}", "a path that can be written to", "choose another --out")


EXPORT_MARKER = "EXPORTED.txt"


def check_folder(out: Path, marker: str) -> None:
    """Raises SparringError where something is that is no earlier export; see `write_folder`."""
    ours = (out / marker).is_file() and (out / EXPORT_MARKER).is_file()
    if (storage.list_folder(out) and not ours) or out.is_file() or out.name in ("", ".."):
        raise SparringError(f"--out {out} is there, and is no export", "a new folder", "choose another --out")


def write_folder(out: Path, content: Mapping[str, bytes], marker: str) -> None:
    """Write files into a new folder, or in the place of an earlier export.

    Arguments:
        content: by name, with '/' below a folder.
        mark: the file by which an earlier export is known. Any other folder with something in it stays as it is.

    Raises:
        SparringError: something else is there, or the place can't be written to.
    """
    check_folder(out, marker)
    temporary = out.with_name(f"{storage.TEMPORARY_PREFIX}{out.name}")
    try:
        storage.remove(temporary)
        for name, data in {
            **content,
            EXPORT_MARKER: b"Written by `sparring export`, which replaces this folder as a whole.\n",
        }.items():
            storage.make_folder((temporary / name).parent)
            storage.write(temporary / name, data)
        storage.remove_atomic(out)
        storage.replace(temporary, out)
    except OSError as error:
        raise make_output_error(out, error) from error
