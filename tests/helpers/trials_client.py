"""Calls functions of `trials.py` in another process, which has a single thread and so may fork; torch is imported once there."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Trials:
    """The other process; started at the first call."""

    def __init__(self) -> None:
        self.process: subprocess.Popen | None = None

    def __call__(self, function: str, **arguments):
        """The value of `trials.function(**arguments)`; paths are sent as strings."""
        if self.process is None:
            root = Path(__file__).parents[2]
            paths = [str(root), str(root / "src")]
            threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            hidden = {
                "CUDA_VISIBLE_DEVICES": ""
            }  # with a GPU in sight, torch forbids to fork after the first gradient
            environment = os.environ | threads | hidden | {"PYTHONPATH": os.pathsep.join(paths)}
            command = [sys.executable, "-m", "tests.helpers.trials"]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
        self.process.stdin.write(json.dumps([function, arguments], default=str) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the trials\' process died"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait(10)
