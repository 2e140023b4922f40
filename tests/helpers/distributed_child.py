"""One process of a distributed run, started by `torchrun` for `test_distributed.py`.

It writes what it drew and which storage operations it did.
"""

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
    notes_taken: list = []
    gather, normal = BatchStream._gather, KeyedRandom.normal

    def gather_and_note(self, seed, position, rows):
        x, y, other = gather(self, seed, position, rows)
        notes_taken.append(["real", position, rows.start, [digest(row) for row in x]])
        return x, y, other

    def normal_and_note(self, stream, *shape):
        values = normal(self, stream, *shape)
        notes_taken.append([stream, *self.position, self.rows.start, [digest(row) for row in values]])
        return values

    def digest(row: torch.Tensor) -> str:
        return hashlib.sha256(row.contiguous().numpy().tobytes()).hexdigest()[:12]

    def note_writes(operation: str, path: Path) -> None:
        if operation in ("write", "append", "replace", "lock", "remove"):
            notes_taken.append(["operation", operation])

    BatchStream._gather, KeyedRandom.normal, storage.observer = gather_and_note, normal_and_note, note_writes
    plain = (
        "game.generator={type: mlp, latent: 4, hidden: [16]}",
        "game.discriminator={type: mlp, hidden: [16]}",
        "game.generator_penalties=[]",
        "data.flip=true",
    )
    length = {"images": None, "until": until} if until else {}
    request = toy.request(Path(data), steps=steps, save=4, report=1, more=plain, **length)
    start = lambda images: runtime.start_runtime("cpu", "fp32", 1, images=images)  # noqa: E731
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
        code = run_training(request, Path(out), start).exit_code
    except SparringError as error:
        notes_taken.append(["error", type(error).__name__, str(error)])
        code = 0
    Path(f"{notes}-{rank}.json").write_text(json.dumps(notes_taken))
    return 0 if code == 143 and stop_at else code


if __name__ == "__main__":
    data, out, notes, steps, until, stop_at = sys.argv[1:]
    sys.exit(main(data, out, notes, int(steps), until, int(stop_at)))
