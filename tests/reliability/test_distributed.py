"""Two processes train like one; only the first writes; each can resume the run of the other."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sparring.runs import checkpoint, records
from tests.helpers import toy

STEPS = 10


def start(processes, toy_data, out, notes, steps=STEPS, until="", stop_at=0):
    here = Path(toy.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--master-port", str(port)]
    many = launcher if processes > 1 else []
    child = str(here / "distributed_child.py")
    command = [
        sys.executable,
        *many,
        child,
        str(toy_data),
        str(out),
        str(notes),
        str(steps),
        until,
        str(stop_at),
    ]
    paths = os.pathsep.join([str(here.parents[1]), str(here.parents[1] / "src")])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(Path(f"{notes}-{rank}.json").read_text()) for rank in range(processes)]


def draws(notes):
    """Real samples and random numbers by name, with the rows of all processes joined."""
    rows: dict[str, dict[int, list]] = {}
    for process in notes:
        for *name, first, values in (note for note in process if note[0] not in ("operation", "error")):
            rows.setdefault(json.dumps(name), {})[first] = values
    return {name: [row for first in sorted(parts) for row in parts[first]] for name, parts in rows.items()}


def losses(run):
    names = ("images", "step", "discriminator/adversarial", "generator/adversarial")
    return [{name: row[name] for name in names} for row in records.read_jsonl(run / records.METRICS_FILE)]


@pytest.mark.skipif(sys.platform != "linux", reason="gloo on one machine")
def test_two_processes_train_like_one(toy_data, tmp_path):
    one = start(1, toy_data, tmp_path / "one", tmp_path / "a")
    two = start(2, toy_data, tmp_path / "two", tmp_path / "b")
    assert draws(one) == draws(two)
    assert len(draws(one)) >= 2 * STEPS
    for ours, theirs in zip(losses(tmp_path / "two"), losses(tmp_path / "one"), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    wrote = [[note for note in process if note[0] == "operation"] for process in two]
    assert wrote[0]
    assert not wrote[1]

    start(2, toy_data, tmp_path / "three", tmp_path / "c", stop_at=6)  # stopped, then resumed by one process
    assert checkpoint.list_checkpoints(tmp_path / "three")[-1] == 6 * toy.BATCH
    start(1, toy_data, tmp_path / "three", tmp_path / "d")
    for ours, theirs in zip(losses(tmp_path / "three"), losses(tmp_path / "one"), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    kinds = [event["event"] for event in toy.events(tmp_path / "three")]
    assert kinds == ["machine_changed"]


def test_a_time_without_a_length_is_refused(toy_data, tmp_path):
    notes = start(2, toy_data, tmp_path / "run", tmp_path / "a", until="10s")
    (leader,) = [note for note in notes[0] if note[0] == "error"]
    (other,) = [note for note in notes[1] if note[0] == "error"]
    assert leader[1] == "ConfigError"
    assert "--images" in leader[2]
    assert other[1] == "SparringError"
    assert not (tmp_path / "run" / "run.json").exists()
