"""A run that takes a second, and digests of its result.

Its two perceptrons have everything that must survive a restart: batch and spectral normalisation, dropout, a lazy penalty,
averages of past weights, flipped images.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from sparring.core.runtime import Runtime
from sparring.data import DataConfig, Dataset, open_data
from sparring.runs import checkpoint, generator_file, records
from sparring.runs.request import Request, build_data_config, resolve_experiment
from sparring.training.start import run_training
from sparring.training.state import TrainState

BATCH = 8
SETTINGS = (
    "game.generator={type: mlp, latent: 4, hidden: [16], norm: batch}",
    "game.discriminator={type: mlp, hidden: [16], dropout: 0.2, spectral: true}",
    "game.penalties=[{type: r1, every: 3}]",
    "game.generator_penalties=[{type: historical_averaging, weight: 0.01}]",
    "data.flip=true",
    "training.ema_half_life=100.0",
    "training.ema_ramp=0.5",
    "training.sample_grid=2",
    "training.sample_every=100000",
)
RESCUE = (  # the first remedy takes buffers away, the second one adds some
    "training.rescue={patience: 2, warmup_steps: 0, remedies: [['game.generator_penalties=[]', 'optimizers.generator.lr=1e-4'], "
    "['game.penalties=[{type: r1}, {type: historical_averaging, weight: 0.1}]', 'data.flip=false']]}"
)
TIMING = ("seconds", "images_per_second")


def write_data(folder: Path, seed: int = 0) -> Path:
    """48 images of noise, 8x8, in three classes."""
    rng = np.random.default_rng(seed)
    path = folder / "toy.npz"
    np.savez(path, images=rng.integers(0, 256, (48, 8, 8, 1), dtype=np.uint8), labels=np.arange(48) % 3)
    return path


def two_domains(folder: Path, *, paired: bool) -> Dataset:
    """64 coloured images of noise, 16x16, and their negatives: in the same order if paired, else in another one."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (64, 16, 16, 3), dtype=np.uint8)
    second = 255 - (first if paired else rng.permutation(first))
    domains = []
    for name, images in (("a", first), ("b", second)):
        np.savez(folder / f"{name}.npz", images=images)
        domains.append(open_data(DataConfig(source=str(folder / f"{name}.npz"))))
    return domains[0].replace(domain_b=domains[1], paired=paired)


def request(data: Path, steps: int = 60, save: int = 3, report: int = 2, **changes) -> Request:
    """A request for a toy run.

    Arguments:
        steps: length. save, report: intervals in steps.
        changes: fields of the request; `more` are further settings.
    """
    intervals = (f"training.save_every={save * BATCH}", f"training.report_every={report * BATCH}")
    settings = (*SETTINGS, *intervals, *changes.pop("more", ()))
    fields = {
        "data": str(data),
        "recipe": "gan",
        "images": steps * BATCH,
        "batch": BATCH,
        "settings": settings,
    }
    return Request(**{**fields, **changes})


def cpu(images: bool = True) -> Runtime:
    return Runtime(torch.device("cpu"))


def train(request: Request, out: Path, **callbacks):
    """Train a toy run on the CPU."""
    return run_training(request, out, cpu, **callbacks)


def train_state(data: Path, **changes) -> TrainState:
    """The training state of a toy run at its start."""
    toy_request = request(data, **changes)
    dataset = open_data(build_data_config(toy_request, max_size=64))
    return TrainState(resolve_experiment(toy_request, dataset, cpu()), dataset, cpu())


def plant_collapse(levels: int, since: int = 8):
    """In place of `diagnostics.measure`: samples are all the same from step `since` on, while fewer remedies are in force."""

    def measure(state: TrainState, held_out=None) -> dict[str, float]:
        has_collapsed = state.clock.step >= since and state.clock.level < levels
        return {"diag/diversity": 0.01 if has_collapsed else 0.9, "diag/near_duplicates": 0.0}

    return measure


def bits(state: TrainState) -> str:
    """Digest of a training state: clock and all tensors."""
    digest = hashlib.sha256(repr(state.clock).encode())
    for name, tensor in sorted(state.tensors().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def digest(run: Path, logs: bool = True) -> str:
    """Digest of the result of a run: the last checkpoint (without times), the generator file, and metrics.jsonl (without times)."""
    last = checkpoint.read(run, checkpoint.list_checkpoints(run)[-1])
    state = {name: last.state[name] for name in ("clock", "roll_backs", "record")}
    rows = records.read_jsonl(run / records.METRICS_FILE) if logs else []
    rows = [{name: value for name, value in row.items() if name not in TIMING} for row in rows]
    parts = (
        last.tensors,
        json.dumps([state, rows]).encode(),
        (run / generator_file.GENERATOR_FILE).read_bytes(),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def events(run: Path) -> list[dict]:
    return records.read_jsonl(run / records.EVENTS_FILE)


def leftovers(run: Path) -> list[str]:
    return [str(path.relative_to(run)) for path in run.rglob(".tmp-*")]
