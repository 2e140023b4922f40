"""Tensors to safetensors bytes and back; the header is checked against the expected names, types and shapes
before anything is allocated.

A file from a stranger can therefore neither run code nor fill the memory.
"""

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from sparring.core.errors import CorruptFileError

HEADER_LIMIT = 16_000_000  # bytes
_DTYPES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def to_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The tensors, copied to the CPU, as the bytes of a safetensors file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(_clone_shared(plain), dict(metadata) if metadata else None)


def header_end(data: bytes) -> int:
    """The offset of the end of the header, from the first 8 bytes of a file; at most that of the longest allowed header."""
    return 8 + min(int.from_bytes(data[:8], "little"), HEADER_LIMIT)


def check_size(size: int, table: Mapping[str, Any], expected: Mapping[str, Tensor]) -> None:
    """Raises CorruptFileError if a file of `size` bytes is larger than the expected tensors can be, before it is read."""
    most = 8 + HEADER_LIMIT + sum(tensor.numel() * tensor.element_size() for tensor in expected.values())
    if size > most:
        raise _corrupt_error(f"{size:,} bytes for {len(table)} tensors, which need at most {most:,}")


def read_header(data: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """The table of tensors and the metadata of a safetensors file.

    Raises:
        CorruptFileError: it is no safetensors file, or is truncated.
    """
    length = int.from_bytes(data[:8], "little") if len(data) >= 8 else -1
    if not 2 <= length <= min(HEADER_LIMIT, len(data) - 8):
        raise _corrupt_error("the header does not fit into the file")
    try:
        table = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=_reject_duplicates)
    except (ValueError, RecursionError) as error:
        raise _corrupt_error(str(error)) from error
    if not isinstance(table, dict):
        raise _corrupt_error("the header is no object")
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _corrupt_error("the metadata are no object of strings")
    return table, metadata


def from_bytes(data: bytes, expected: Mapping[str, Tensor], *, can_differ: bool = False) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which must have the names, types and shapes of `expected`.

    Arguments:
        can_differ: whether tensors may be missing or unexpected; those with an expected name must have its type and shape.

    Raises:
        CorruptFileError: a tensor is missing, unexpected, or of another type or shape.
    """
    table, _ = read_header(data)
    difference = set(table) ^ set(expected)
    if can_differ:
        expected = {name: tensor for name, tensor in expected.items() if name in table}
    elif difference:
        raise _corrupt_error(
            f"{len(difference)} tensors are missing or unexpected, such as {min(difference)[:80]!r}"
        )
    for name, tensor in expected.items():
        entry = table[name]
        expected_entry = {"dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape)}
        if not isinstance(entry, dict) or {key: entry.get(key) for key in expected_entry} != expected_entry:
            raise _corrupt_error(f"tensor {name!r} is {str(entry)[:80]}, not {expected_entry}")
    try:
        return load(data)
    except Exception as error:  # the library raises its own errors
        raise _corrupt_error(str(error)) from error


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name occurs twice in the header")
    return table


def _clone_shared(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Clone tensors that share memory with an earlier one, which safetensors refuses."""
    pointers: set[int] = set()
    for name, tensor in tensors.items():
        if tensor.data_ptr() in pointers and tensor.numel():
            tensors[name] = tensor.clone()
        pointers.add(tensor.data_ptr())
    return tensors


def _corrupt_error(reason: str) -> CorruptFileError:
    return CorruptFileError(
        f"damaged or foreign tensors: {reason}",
        "a file written by Sparring for these settings",
        "use another file",
    )
