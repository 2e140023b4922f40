"""Published weights, `.pth`, into a safetensors file: run in a process of its own, and the only place that unpickles anything.

    python -m sparring.features.convert SOURCE TARGET

`weights_only=True` builds tensors and plain containers alone, and refuses whatever names other code. What comes out holds
tensors and nothing else. Names keep; a state dict under the key "state_dict" or "model" is taken out.
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
