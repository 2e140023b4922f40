"""A direction in the latent space, and files of directions: tensors with JSON in the header, nothing that is
executed.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from sparring.core import storage, tensor_file
from sparring.core.errors import CorruptFileError, SparringError, did_you_mean

FORMAT, METADATA_KEY, MAX_DIRECTIONS = 1, "sparring.directions", 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """A direction in the latent space.

    Arguments:
        name: what changes along it, as far as is known ("pca 1", "trouser", "brightness").
        vector: (z,), normalised to length 1.
        kind: how it was found: pca, sefa, classifier, labels, or a name of your own.
        scale: length of a move of strength 1: strength s moves z by s * scale * vector.
        statistics: numbers about how it was found, such as the accuracy of a classifier.
    """

    name: str
    vector: Tensor
    kind: str = ""
    scale: float = 1.0
    statistics: dict[str, float] | None = None

    def __post_init__(self) -> None:
        length = float(self.vector.float().norm()) if self.vector.ndim == 1 else math.nan
        if not (math.isfinite(length) and length > 0 and math.isfinite(self.scale) and self.scale > 0):
            raise SparringError(
                f"direction {self.name!r} of shape {tuple(self.vector.shape)} and length {length}",
                "finite numbers (z,), not all 0, and a scale above 0",
                "check how it was computed",
            )
        object.__setattr__(self, "vector", self.vector.detach().float().cpu() / length)

    def apply(self, z: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Move latents (n, z) along the direction: z + strength * scale * vector.

        Arguments:
            strength: one for all, or one for each latent (n,).
        """
        strengths = torch.as_tensor(strength, dtype=z.dtype, device=z.device).reshape(-1, 1)
        return z + strengths * self.scale * self.vector.to(z)

    def without(self, others: Sequence["Direction"]) -> "Direction":
        """The component orthogonal to other directions, so that it changes less of what they change.

            v - Q Q^T v,  the columns of Q an orthonormal basis of the others

        References: Shen, Gu, Tang & Zhou 2020, arXiv 1907.10786, section 2.3 (conditional manipulation).

        Raises:
            SparringError: the direction is a combination of the others.
        """
        if not others:
            return self
        basis = torch.linalg.qr(torch.stack([other.vector for other in others], 1).double()).Q
        vector = self.vector.double()
        rest = vector - basis @ (basis.t() @ vector)
        if float(rest.norm()) < 1e-6:
            raise SparringError(
                f"{self.name} without {', '.join(other.name for other in others)}",
                "a direction that is no combination of the others",
                "leave one of them out",
            )
        return replace(self, vector=rest.float())


def save_directions(path: Path, directions: Sequence[Direction]) -> None:
    """Write directions of one latent space to a .safetensors file.

    Raises:
        SparringError: no directions, or of several latent spaces.
    """
    _check_same_space(directions)
    rows = [
        {"name": each.name, "kind": each.kind, "reach": each.scale, "found": each.statistics or {}}
        for each in directions
    ]
    header = json.dumps({"format": FORMAT, "directions": rows}, allow_nan=False)
    stacked = torch.stack([each.vector for each in directions])
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.write_atomic(path, tensor_file.to_bytes({"vectors": stacked}, {METADATA_KEY: header}))


def load_directions(path: Path) -> list[Direction]:
    """Read directions that `save_directions` wrote. Nothing in the file is executed; sizes are checked before it is read.

    Raises:
        SparringError: there is no such file.
        CorruptFileError: it holds something else.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}", "a file of directions", "create one: sparring latent directions RUN"
        )
    table, metadata = tensor_file.read_header(
        storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
    )
    try:
        header = json.loads(metadata[METADATA_KEY])
        rows, (count, size) = header["directions"], table["vectors"]["shape"]
        if (
            header["format"] != FORMAT
            or count != len(rows)
            or not (0 < count <= MAX_DIRECTIONS and 0 < size < 2**20)
        ):
            raise ValueError("another format, or a number of directions that does not match the header")
        expected = {"vectors": torch.empty(count, size, device="meta")}
        tensor_file.check_size(path.stat().st_size, table, expected)
        vectors = tensor_file.from_bytes(storage.read(path), expected)["vectors"]
        return [_parse_direction(row, vector) for row, vector in zip(rows, vectors, strict=True)]
    except CorruptFileError:
        raise
    except Exception as error:  # an untrusted header can break in any way
        raise CorruptFileError(
            f"{path}: {error}", "directions written by Sparring", "use another file"
        ) from error


def _parse_direction(row: dict[str, object], vector: Tensor) -> Direction:
    name, kind, scale, numbers = (row[key] for key in ("name", "kind", "reach", "found"))
    if not (isinstance(name, str) and isinstance(kind, str) and isinstance(numbers, dict)):
        raise TypeError("a name, kind or statistics of the wrong type")
    if not isinstance(scale, float | int):
        raise TypeError("a scale that is no number")
    statistics = {_printable(str(key)): float(value) for key, value in numbers.items()}
    return Direction(
        name=_printable(name), kind=_printable(kind), vector=vector, scale=float(scale), statistics=statistics
    )


def _printable(text: str) -> str:
    """Text of an untrusted file, without control characters."""
    return "".join(letter for letter in text[:80] if letter.isprintable())


def select_direction(directions: Sequence[Direction], name: str) -> Direction:
    """The direction with a name or index.

    Arguments:
        name: a name; or an index, from 0; or empty for the only direction of the list.

    Raises:
        SparringError: there is none, or several and no name.
    """
    names = [each.name for each in directions]
    if name in names:
        return directions[names.index(name)]
    if name.isdigit() and int(name) < len(names):
        return directions[int(name)]
    if not name and len(names) == 1:
        return directions[0]
    choices = ", ".join(f"{index} {name}" for index, name in enumerate(names[:20]))
    raise SparringError(
        f"direction {name!r}" if name else "a file of several directions, without a name",
        f"one of: {choices}",
        did_you_mean(name, names) if name else "add the name of one: FILE:NAME",
    )


def _check_same_space(directions: Sequence[Direction]) -> None:
    if not directions or len({len(each.vector) for each in directions}) != 1:
        raise SparringError(
            f"{len(directions)} directions, not of one latent space",
            "one or more of one run",
            "save them in separate files",
        )
