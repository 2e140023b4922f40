"""Files of latents: tensors with JSON in the header, nothing that is executed."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from sparring.core import storage, tensor_file
from sparring.core.errors import CorruptFileError, SparringError
from sparring.models.generator import GeneratorModel

FORMAT, METADATA_KEY = 1, "sparring.latents"


def save_latents(path: Path, names: Sequence[str], z: Tensor, y: Tensor | None) -> None:
    """Write latents to a .safetensors file.

    Arguments:
        names: of the images that the latents belong to, n of them.
        z: latents (n, z).
        y: classes (n,), or blends of classes (n, classes); None without labels.
    """
    header = json.dumps({"format": FORMAT, "names": list(names)})
    tensors = {"z": z} | ({} if y is None else {"y": y})
    storage.make_folder(path.parent)
    storage.write_atomic(path, tensor_file.to_bytes(tensors, {METADATA_KEY: header}))


def load_latents(generation: GeneratorModel, path: Path) -> tuple[Tensor, Tensor | None]:
    """Read latents (n, z) and classes that `save_latents` wrote. Sizes are checked before anything is allocated.

    Raises:
        SparringError: there is no such file.
        CorruptFileError: it holds something else, or latents of another size.
    """
    if not path.is_file():
        raise SparringError(
            f"no file {path}", "a file of latents", "create one: sparring latent invert RUN IMAGES"
        )
    table, _ = tensor_file.read_header(
        storage.read_head(path, tensor_file.header_end(storage.read_head(path, 8)))
    )
    try:
        count, classes = int(table["z"]["shape"][0]), generation.spec.num_classes
        expected = {"z": torch.empty(count, generation.latent, device="meta")}
        if "y" in table:
            is_index = table["y"]["dtype"] == "I64"
            shape = (count,) if is_index else (count, classes)
            dtype = torch.int64 if is_index else torch.float32
            expected["y"] = torch.empty(shape, dtype=dtype, device="meta")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CorruptFileError(
            f"{path}: {error}", "latents written by Sparring", "use another file"
        ) from error
    tensor_file.check_size(path.stat().st_size, table, expected)
    tensors = tensor_file.from_bytes(storage.read(path), expected)
    return tensors["z"], tensors.get("y")
