"""Convert published weights from `.pth` to safetensors, in a process of its own: the only place that
unpickles.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def convert(source: Path, target: Path) -> None:
    """Read the one and write the other."""
    found = torch.load(source, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not found:
        raise SystemExit(f"{source} holds no table of tensors")
    tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
    save_file({str(name): value.detach().clone().contiguous() for name, value in tensors.items()}, target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
