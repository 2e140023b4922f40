"""Two processes hold the same image pool, which is the one that a single process would hold."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (str(ROOT / "src"),)  # of the child processes
CHILD = """
import sys, torch
from sparring.core.rng import KeyedRandom
from sparring.core.runtime import start_runtime
from sparring.games.image_pool import ImagePool

runtime = start_runtime("cpu", "fp32", 1)
share = 6 // runtime.world_size
rows = slice(runtime.rank * share, (runtime.rank + 1) * share)
pool, returned = ImagePool(8, (1, 2, 2)), []
for step in range(12):
    fakes = (torch.arange(step * 6, step * 6 + 6) * 2 / 127.5 - 1).reshape(6, 1, 1, 1).expand(6, 1, 2, 2)
    returned.append(pool.query(fakes[rows], KeyedRandom(0, (step,), 6, rows), "a"))
torch.save({"pool": pool.pictures, "returned": torch.stack(returned)}, f"{sys.argv[1]}-{runtime.rank}")
runtime.close()
"""


def exchange(processes, place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(processes)}
    common |= {"PYTHONPATH": os.pathsep.join(SOURCES), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(place)], env=os.environ | common | {"RANK": str(rank)}
        )
        for rank in range(processes)
    ]
    assert [process.wait(timeout=120) for process in running] == [0] * processes
    import torch

    return [torch.load(f"{place}-{rank}", weights_only=True) for rank in range(processes)]


@pytest.mark.skipif(sys.platform != "linux", reason="gloo on one machine")
def test_two_processes_share_the_pool(tmp_path):
    import torch

    (one,), (first, second) = exchange(1, tmp_path / "one"), exchange(2, tmp_path / "two")
    assert torch.equal(first["pool"], second["pool"])
    assert torch.equal(first["pool"], one["pool"])
    assert torch.equal(torch.cat([first["returned"], second["returned"]], 1), one["returned"])
