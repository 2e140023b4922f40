"""Fine-tuning against training from scratch, on few images, at equal CPU time.

    python bench/fine_tune.py DATA --from RUN [--n 200] [--minutes 2] [--seeds 0] [--rows fine-tuned scratch] [--out runs/fine-tune]
    python bench/fine_tune.py animals:horse,zebra --source animals:cat,dog,cow --source-images 12000 --size 32 --minutes 0.5

`--n` images of DATA, without their labels, are learnt from; up to 500 others are what all rows are compared with. The rows:

- fine-tuned: `sparring train --from RUN`, with what it chooses for few images
- plain: the same with the whole discriminator trained and without augmentation
- scratch: the recipe of RUN, with the settings that it chooses for the data
- augmented: from scratch with the augmentation of `fine-tuned`

Each row has `--minutes` of CPU time for its training steps: its length is chosen from the CPU time of a few steps. Kernel distances
(unbiased, cubic) are taken in the features of EfficientNet-Lite0 and in 64 principal components of the other images, scaled by one
number to unit variance; `floor` is that of the `--n` real images. Every row is kept in rows.jsonl; a sheet shows them side by side.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import sparring
from sparring import features, metrics
from sparring.core.rng import make_generator
from sparring.core.runtime import DeviceOptions, Runtime
from sparring.data import DataConfig, add_pseudo_classes, open_data
from sparring.recipes.facts import Pretrained
from sparring.runs.request import Request, build_data_config, resolve_experiment
from sparring.runs.weight_source import open_weight_source
from sparring.training.start import run_training
from sparring.training.state import TrainState
from translating import Rows, write_sheet

MAX_REAL, SHEET_ROWS, WARM_STEPS, TIMED_STEPS = 500, 12, 4, 24
MAX_SUBSET = 100  # samples in each of the random subsets of a kernel distance
AUGMENTED = "game.augmentations=[{type: diffaugment, policy: [translation]}]"
ROWS: dict[str, tuple[bool, tuple[str, ...]]] = {  # whether it begins with the run's weights; settings
    "fine-tuned": (True, ()),
    "plain": (True, ("game.freeze_discriminator=0", "game.augmentations=[]")),
    "scratch": (False, ()),
    "augmented": (False, (AUGMENTED,)),
}


class Distances:
    """Kernel distances to real images in two feature spaces that share nothing."""

    def __init__(self, real: np.ndarray, source: Path, runtime: Runtime) -> None:
        fitted_on = open_data(DataConfig(source=str(source)))
        names = ("efficientnet_lite0", "pca")
        self.extractors = {name: features.load(name, runtime=runtime, fitted_on=fitted_on) for name in names}
        self.scale = float(self._features("pca", real, 1.0).std())
        self.real = {name: self._features(name, real, self.scale) for name in names}

    def _features(self, name: str, images: np.ndarray, scale: float) -> torch.Tensor:
        found = torch.as_tensor(self.extractors[name](images).features)
        return found / scale if name == "pca" else found

    def measure(self, images: np.ndarray) -> dict[str, float]:
        found = {}
        for name, real in self.real.items():
            fake = self._features(name, images, self.scale)
            size = min(MAX_SUBSET, len(real), len(fake))
            value, error = metrics.kernel_distance(real, fake, size=size)
            found |= {name: round(value, 4), f"{name}_error": round(error, 4)}
        return found


def split_data(data: str, size: tuple[int, int], count: int, out: Path) -> tuple[Path, Path]:
    """Files of `count` images to learn from, and of up to `MAX_REAL` others, of this size, without labels."""
    images = np.asarray(open_data(DataConfig(source=data, size=size, labels=False)).samples)
    order = torch.randperm(len(images), generator=make_generator(0, "fine-tune")).numpy()
    paths = out / f"train-{count}.npz", out / f"other-{count}.npz"
    for path, rows in zip(paths, (order[:count], order[count : count + MAX_REAL]), strict=True):
        np.savez(path, images=images[rows])
    return paths


def cpu_seconds_per_image(request: Request, source: Pretrained | None, runtime: Runtime) -> float:
    """Of training steps, without the first ones."""
    dataset = open_data(build_data_config(request, 64, source))
    experiment = resolve_experiment(request, dataset, runtime, 10_000, source)
    state = TrainState(experiment, add_pseudo_classes(dataset, experiment.data.pseudo_classes), runtime)
    for _ in range(WARM_STEPS):
        state.train_step()
    begin, images = time.process_time(), state.clock.images
    for _ in range(TIMED_STEPS):
        state.train_step()
    return (time.process_time() - begin) / (state.clock.images - images)


def train_row(
    args: argparse.Namespace, row: str, seed: int, data: Path, distances: Distances
) -> dict[str, Any]:
    """Train a row in its CPU time, and measure its samples."""
    begins, settings = ROWS[row]
    source = open_weight_source(args.start_from, str(args.start_from)).settings
    request = Request(
        data=str(data),
        recipe=None if begins else source.recipe,
        start_from=str(args.start_from) if begins else None,
        seed=seed,
        size=source.spec.shape[1:],
        settings=(*settings, *args.set),
    )
    runtime = DeviceOptions(device="cpu", threads=1).start()
    cost = cpu_seconds_per_image(request, source if begins else None, runtime)
    length = max(16, int(60 * args.minutes / cost) // 16 * 16)
    request = Request(**{**vars(request), "images": length})
    out, begin = args.out / f"{row}-{args.n}-{args.minutes:g}-{seed}", time.process_time()
    run_training(request, out, lambda images: runtime)
    spent = time.process_time() - begin
    samples = sparring.load(out, "cpu").sample(MAX_REAL, seed=1)
    np.save(out / "fake.npy", samples)
    return {"images": length, "cpu_seconds": round(spent, 1), **distances.measure(samples)}


def train_source(args: argparse.Namespace) -> Path:
    """The run to begin from, trained on `--source`."""
    out = args.out / "source"
    runtime = DeviceOptions(device="cpu", threads=1).start()
    size = None if args.size is None else (args.size, args.size)
    request = Request(
        data=args.source, images=args.source_images, size=size, seed=0, settings=tuple(args.source_set)
    )
    run_training(request, out, lambda images: runtime)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--from", dest="start_from", type=Path, help="the run to begin from")
    parser.add_argument(
        "--source", default="animals", help="without --from: the data of a run that is trained first"
    )
    parser.add_argument("--source-images", type=int, default=60_000)
    parser.add_argument("--source-set", nargs="*", default=[], metavar="path=value")
    parser.add_argument("--size", type=int, help="side of the source's images")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=2.0, help="of CPU time, each row")
    parser.add_argument("--rows", nargs="+", default=["fine-tuned", "scratch"], choices=list(ROWS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], metavar="path=value", help="settings of every row")
    parser.add_argument("--out", type=Path, default=Path("runs/fine-tune"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = Rows(args.out / "rows.jsonl")
    args.start_from = args.start_from or train_source(args)
    settings = open_weight_source(args.start_from, str(args.start_from)).settings
    data, others = split_data(args.data, settings.spec.shape[1:], args.n, args.out)
    real, known = (np.load(path)["images"] for path in (others, data))
    distances = Distances(real, others, DeviceOptions(device="cpu", threads=1).start())
    key = {
        "data": args.data,
        "from": str(args.start_from),
        "n": args.n,
        "minutes": args.minutes,
        "set": args.set,
    }
    lines = [rows.once({**key, "row": "floor"}, lambda: distances.measure(known))]
    columns = {"real": known}
    for seed in args.seeds:
        for row in args.rows:
            make = lambda row=row, seed=seed: train_row(args, row, seed, data, distances)  # noqa: E731
            lines.append(rows.once({**key, "row": row, "seed": seed}, make))
            columns[f"{row} {seed}"] = np.load(
                args.out / f"{row}-{args.n}-{args.minutes:g}-{seed}" / "fake.npy"
            )
    for line in lines:
        values = "  ".join(
            f"{name} {line[name]:.4f} +- {line[name + '_error']:.4f}" for name in distances.real
        )
        print(f"{line['row']:12}{line.get('images', args.n):>9,} images  {values}")
    write_sheet(args.out / f"sheet-{args.n}-{args.minutes:g}.png", columns, rows=SHEET_ROWS)


if __name__ == "__main__":
    main()
