"""How often the doctor is right: planted failures that it must find, and healthy runs without any alarm.

    python bench/doctor.py healthy --seeds 20          # the ring, 5,000 steps: no alarm, at no report
    python bench/doctor.py diverging --seeds 20        # the same at 100 times the learning rate: found within 200 steps
    python bench/doctor.py constant --seeds 20         # from step 300 on all samples are one point: found within 2 measurements
    python bench/doctor.py one --seeds 20              # ... lie in 1 of the 8 modes. two: in 2 of them
    python bench/doctor.py memorising --seeds 20       # 50 images, no augmentation
    python bench/doctor.py images --seeds 5            # 9,500 images: no alarm

The game is small so that it takes seconds: `auto` with three layers of 64 units and batches of 64 on the ring, DCGAN's networks at
a width of 8 and 16 on the animals. One thread. The doctor diagnoses the run at every report. An
alarm is a finding that is `bad` or a `warning`.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sparring import doctor
from sparring.core import runtime
from sparring.data import open_data
from sparring.data.config import DataConfig
from sparring.data.readers.points import mixture_modes
from sparring.runs.request import Request
from sparring.training.start import run_training
from sparring.training.state import TrainState

RING = ("game.generator.hidden=[64,64,64]", "game.discriminator.hidden=[64,64,64]")
IMAGE_WIDTHS = ("game.generator.width=8", "game.discriminator.width=16")
REPORTS = "training.report_every={}"
FORCED_AT = 300
RATE = ("optimizers.generator.lr.start=0.2", "optimizers.discriminator.lr.start=0.2")
EXPECTED = {
    "diverging": {"divergence"},
    "constant": {"collapse"},
    "one": {"missing_modes", "collapse"},
    "two": {"missing_modes"},
    "memorising": {"discriminator_overfits"},
}


def forced(kind: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function that maps generated points to the modes that remain, with the spread of a mode."""
    means = torch.from_numpy(mixture_modes("ring")[0]).float() / 0.5**0.5  # as training sees them
    left = means[: {"one": 1, "two": 2}.get(kind, 1)]

    def move(x: torch.Tensor) -> torch.Tensor:
        if kind == "constant":
            return x * 0 + left[0]
        residue = x - means[torch.cdist(x.detach(), means).argmin(1)]
        return left[torch.arange(len(x)) % len(left)] + residue * (0.014 / residue.detach().std())

    return move


def train(kind: str, seed: int, out: Path, steps: int) -> None:
    """One run."""
    true = TrainState.train_step

    def step(self):
        if self.clock.step == FORCED_AT and kind in ("constant", "one", "two"):
            move = forced(kind)
            self.game.generation.generator.register_forward_hook(lambda module, inputs, x: move(x))
        return true(self)

    TrainState.train_step = step
    try:
        result = run_training(request(kind, seed, out, steps), out, machine)
    finally:
        TrainState.train_step = true
    if result.exit_code and kind != "diverging":
        raise SystemExit(result.exit_code)


def request(kind: str, seed: int, out: Path, steps: int) -> Request:
    if kind in ("memorising", "images"):
        data = str(few(out.parent / "few.npz", seed)) if kind == "memorising" else "animals"
        settings = (
            *IMAGE_WIDTHS,
            REPORTS.format(960),
            f"data.held_out={49 if kind == 'memorising' else 500}",
        )
        return Request(data=data, recipe="auto", images=steps * 16, batch=16, seed=seed, settings=settings)
    settings = (*RING, REPORTS.format(3_200), *(RATE if kind == "diverging" else ()))
    length = 320_000  # of the schedules; a trial that needs no more ends earlier
    settings += (f"training.total_images={steps * 64}",)
    return Request(data="ring", recipe="auto", images=length, batch=64, seed=seed, settings=settings)


def few(path: Path, seed: int, count: int = 99) -> Path:
    """So many of the animals, of which 49 will be held out."""
    dataset = open_data(DataConfig(source="animals"))
    rows = np.random.default_rng(seed).permutation(len(dataset))[:count]
    np.savez(path, images=np.asarray(dataset.samples[rows]), labels=dataset.labels[rows])
    return path


def machine(images: bool) -> runtime.Runtime:
    return runtime.start_runtime("cpu", "fp32", 1, images=images)


def read_alarms(run: Path, since: int = 0) -> dict:
    """What the doctor says at each report of a run: alarms by name, with the image at which each was first raised."""
    history, first, last = doctor.read_history(run), {}, []
    for row in history.rows:
        last = [f for f in doctor.diagnose(history.up_to(row["images"])).findings if f.severity != "note"]
        for finding in last:
            first.setdefault(finding.name, row["images"])
    measured = [at for at, _ in history.diagnostic("diversity") if at > since]
    return {"first": first, "last": [finding.name for finding in last], "measured": measured}


STEPS = {"healthy": 5_000, "diverging": 200, "memorising": 600, "images": 1_200}


def trial(kind: str, seed: int, steps: int, keep: Path | None) -> dict:
    """One run and the doctor's findings. With `keep`, the run is stored there, and reused when it exists."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder if keep is None else keep) / f"{kind}-{seed}" / "run"
        run.parent.mkdir(parents=True, exist_ok=True)
        if not (run / "metrics.jsonl").exists():
            train(kind, seed, run, steps)
        since = FORCED_AT * 64 if kind in ("constant", "one", "two") else 0
        found = read_alarms(run, since)
    expected = EXPECTED.get(kind, set())
    at = min((image for name, image in found["first"].items() if name in expected), default=None)
    limit = found["measured"][1] if since and len(found["measured"]) > 1 else None
    right = not found["first"] if not expected else at is not None and (limit is None or since < at <= limit)
    result = {
        "kind": kind,
        "seed": seed,
        "right": right,
        "at": at,
        "alarms": found["first"],
        "at end": found["last"],
    }
    return {**result, "cpu_seconds": round(time.process_time() - began, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kinds", nargs="+", choices=["healthy", "images", *EXPECTED])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--keep", type=Path, help="keep the runs here")
    args = parser.parse_args()
    for kind in args.kinds:
        rows = []
        for seed in range(args.first, args.first + args.seeds):
            rows.append(trial(kind, seed, args.steps or STEPS.get(kind, 430), args.keep))
            print(json.dumps(rows[-1]), flush=True)
        right, spent = sum(row["right"] for row in rows), sum(row["cpu_seconds"] for row in rows)
        print(f"{kind}: right in {right} of {len(rows)}, {spent:.0f} CPU-s", flush=True)


if __name__ == "__main__":
    main()
