"""One of several processes of a run: what `torchrun` starts for `test_distributed.py`."""

import hashlib
import json
import os
import sys
from pathlib import Path

import torch

from sparring.core import runtime, storage
from sparring.core.errors import SparringError
from sparring.core.rng import KeyedRandom
from sparring.training.start import run_training
from sparring.training.state import BatchStream
from tests.helpers import toy

torch.set_num_threads(1)


def main(data: str, out: str, notes: str, steps: int, until: str, stop_at: int) -> int:
    rank = int(os.environ.get("RANK", 0))
    seen: list = []
    gather, normal = BatchStream._gather, KeyedRandom.normal

    def gathered(self, seed, position, rows):
        x, y, other = gather(self, seed, position, rows)
        seen.append(["real", position, rows.start, [digest(row) for row in x]])
        return x, y, other

    def drawn(self, stream, *shape):
        values = normal(self, stream, *shape)
        seen.append([stream, *self.position, self.rows.start, [digest(row) for row in values]])
        return values

    def digest(row: torch.Tensor) -> str:
        return hashlib.sha256(row.contiguous().numpy().tobytes()).hexdigest()[:12]

    def writes(operation: str, path: Path) -> None:
        if operation in ("write", "append", "replace", "lock", "remove"):
            seen.append(["operation", operation])

    BatchStream._gather, KeyedRandom.normal, storage.observer = gathered, drawn, writes
    plain = (
        "game.generator={type: mlp, latent: 4, hidden: [16]}",
        "game.discriminator={type: mlp, hidden: [16]}",
        "game.generator_penalties=[]",
        "data.flip=true",
    )
    length = {"images": None, "until": until} if until else {}
    asked = toy.request(Path(data), steps=steps, save=4, report=1, more=plain, **length)
    machine = lambda images: runtime.start_runtime("cpu", "fp32", 1, images=images)  # noqa: E731
    if stop_at:
        import signal

        from sparring.training.state import TrainState

        step = TrainState.train_step

        def stopping(self):
            if self.clock.step == stop_at - 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return step(self)

        TrainState.train_step = stopping
    try:
        code = run_training(asked, Path(out), machine).exit_code
    except SparringError as error:
        seen.append(["error", type(error).__name__, str(error)])
        code = 0
    Path(f"{notes}-{rank}.json").write_text(json.dumps(seen))
    return 0 if code == 143 and stop_at else code


if __name__ == "__main__":
    data, out, notes, steps, until, stop_at = sys.argv[1:]
    sys.exit(main(data, out, notes, int(steps), until, int(stop_at)))
