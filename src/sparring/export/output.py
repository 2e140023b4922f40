"""Output files and folders of an export, and its errors."""

from collections.abc import Mapping
from pathlib import Path

from sparring.core import storage
from sparring.core.errors import SparringError
from sparring.export.parity import Parity


class MissingExtraError(SparringError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed", f"the extra `{extra}`", f'pip install "sparring[{extra}]"'
        )


class OutputFiles:
    """The files of an export: the main one at `out`, the others beside it, each with its `.parity.json`.

    Arguments:
        out: path of the main file.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.content = out, dict[Path, bytes]()

    def add(self, name: str, suffix: str, content: bytes, parity: Parity) -> None:
        """Add a graph's file: the first is `model.onnx`, the next `model.encoder.onnx` and so on."""
        stem = self.out.with_suffix("") if self.out.suffix == suffix else self.out
        path = stem.with_name(stem.name + (suffix if not self.content else f".{name}{suffix}"))
        self.content[path] = content
        self.content[path.with_name(path.name + ".parity.json")] = parity.render()

    def write(self) -> list[Path]:
        """Write all files; returns their paths.

        Raises:
            SparringError: the path is not writable.
        """
        try:
            storage.make_folder(self.out.parent)
            for path, content in self.content.items():
                storage.write_atomic(path, content)
        except OSError as error:
            raise make_output_error(self.out, error) from error
        return list(self.content)


def make_output_error(out: Path, error: OSError) -> SparringError:
    """The error for a path that is not writable."""
    return SparringError(f"--out {out}: {error}", "a writable path", "choose another --out")


EXPORT_MARKER = "EXPORTED.txt"


def check_folder(out: Path, marker: str) -> None:
    """Raises SparringError unless the folder is new, empty or an earlier export; see `write_folder`."""
    is_export = (out / marker).is_file() and (out / EXPORT_MARKER).is_file()
    if (storage.list_folder(out) and not is_export) or out.is_file() or out.name in ("", ".."):
        raise SparringError(
            f"--out {out} exists and is not an export", "a new folder", "choose another --out"
        )


def write_folder(out: Path, content: Mapping[str, bytes], marker: str) -> None:
    """Write a folder completely or not at all; it replaces an earlier export.

    Arguments:
        content: of the files, by path relative to the folder.
        marker: a file that every export of this kind contains. A folder without it is never replaced.

    Raises:
        SparringError: the folder exists and is not an export, or the path is not writable.
    """
    check_folder(out, marker)
    temporary = out.with_name(f"{storage.TEMPORARY_PREFIX}{out.name}")
    try:
        storage.remove(temporary)
        for name, data in {
            **content,
            EXPORT_MARKER: b"Written by `sparring export`. Exporting here again replaces the whole folder.\n",
        }.items():
            storage.make_folder((temporary / name).parent)
            storage.write(temporary / name, data)
        storage.remove_atomic(out)
        storage.replace(temporary, out)
    except OSError as error:
        raise make_output_error(out, error) from error
