"""Files of latents that `sparring latent invert` writes."""

from pathlib import Path

import torch
from torch import Tensor

from sparring import storage, tensorfile
from sparring.errors import CorruptFileError, SparringError
from sparring.games.generation import Generation


def read_latents(generation: Generation, path: Path) -> tuple[Tensor, Tensor | None]:
    """Latents and classes of a file of `sparring latent invert`.

    Raises:
        SparringError: there is none, or it is of another run. CorruptFileError: it is something else.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}", "a file of latents", "make one: sparring latent invert RUN IMAGES"
        )
    table, _ = tensorfile.header(storage.head(path, tensorfile.header_end(storage.head(path, 8))))
    try:
        count, classes = int(table["z"]["shape"][0]), generation.spec.classes
        expected = {"z": torch.empty(count, generation.latent, device="meta")}
        if "y" in table:
            whole = table["y"]["dtype"] == "I64"
            shape = (count,) if whole else (count, classes)
            expected["y"] = torch.empty(shape, dtype=torch.int64 if whole else torch.float32, device="meta")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{path}: {error}", "latents written by Sparring", "use another file"
        ) from error
    tensorfile.check_size(path.stat().st_size, table, expected)
    tensors = tensorfile.parse(storage.read(path), expected)
    return tensors["z"], tensors.get("y")
