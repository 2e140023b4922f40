"""Convert published weights from `.pth` to safetensors, in a process of its own: the only place that
unpickles.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def convert(source: Path, target: Path) -> None:
    """Write the tensors of a `.pth` file (a state dict, or one under `state_dict` or `model`) as safetensors."""
    state = torch.load(source, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state:
        raise SystemExit(f"{source} holds no state dict")
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    save_file({str(name): value.detach().clone().contiguous() for name, value in tensors.items()}, target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
