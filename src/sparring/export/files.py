"""Files that are written together, and only when all of them are right."""

from pathlib import Path

from sparring import storage
from sparring.errors import SparringError
from sparring.export.parity import Parity


class Files:
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
                storage.write_whole(path, content)
        except OSError as error:
            raise unwritable(self.out, error) from error
        return list(self.content)


def unwritable(out: Path, error: OSError) -> SparringError:
    """The user's words for a place that can't be written to."""
    return SparringError(f"--out {out}: {error}", "a path that can be written to", "choose another --out")
