"""Two processes hold one and the same pool of earlier images: the one that a single process would hold."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import sys, torch
from sparring import runtime
from sparring.games.history import History
from sparring.keyed import Draws

machine = runtime.start("cpu", "fp32", 1)
share = 6 // machine.world
rows = slice(machine.rank * share, (machine.rank + 1) * share)
pool, given = History(8, (1, 2, 2)), []
for step in range(12):
    fakes = (torch.arange(step * 6, step * 6 + 6) * 2 / 127.5 - 1).reshape(6, 1, 1, 1).expand(6, 1, 2, 2)
    given.append(pool.exchange(fakes[rows], Draws(0, (step,), 6, rows), "a"))
torch.save({"pool": pool.images, "given": torch.stack(given)}, f"{sys.argv[1]}-{machine.rank}")
machine.close()
"""


def play(processes, place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(processes)}
    source = str(Path(__file__).parents[2] / "src")
    common |= {"PYTHONPATH": source, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
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

    (one,), (first, second) = play(1, tmp_path / "one"), play(2, tmp_path / "two")
    assert torch.equal(first["pool"], second["pool"])
    assert torch.equal(first["pool"], one["pool"])
    assert torch.equal(torch.cat([first["given"], second["given"]], 1), one["given"])
