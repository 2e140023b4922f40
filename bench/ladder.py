"""A ladder of generators of known order, ranked under several extractors; and what fools each metric (docs/metrics.md).

    python bench/ladder.py climb [--images 96000] --folder ladder          # auto on Fashion-MNIST, samples saved on the way
    python bench/ladder.py evaluate --folder ladder --count 2000 --extractors pca frozen
    python bench/ladder.py evaluate --folder ladder --count 500 --extractors efficientnet_lite0
    python bench/ladder.py show --folder ladder                            # the tables; needs no network

The rungs: noise, one run of `auto` at 500, 2,000, 8,000, 32,000 and 96,000 images, and real training images. Beside them stand
what can't be put in order beforehand: samples of one class of the best generator, ten of its images repeated, two sets of copies
(training images with noise of 3 of 255, and shifted by a pixel), real images without three of the classes, JPEG files, and real
images that were enlarged from 28 to 32 without a filter. The reference is the test set. Images and features are cached in
--folder.
"""

import argparse
import io
import itertools
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import fashion
from sparring import metrics
from sparring.core import runtime
from sparring.data import DataConfig, open_data
from sparring.data.image_grid import grid_image
from sparring.features import load
from sparring.inference import sampling
from sparring.runs.request import Request, resolve_experiment
from sparring.runs.run_json import data_metadata
from sparring.training.nan_guard import NaNGuard
from sparring.training.state import TrainState

MARKS = (500, 2_000, 8_000, 32_000, 96_000)
ORDER = ["noise", *(f"auto {mark:,}" for mark in MARKS), "real"]  # from the worst to the best
BESIDE = [
    "one class",
    "ten images",
    "copies with noise",
    "copies moved",
    "without 3 classes",
    "jpeg",
    "nearest",
]
MOST, POOL, LEFT_OUT = 2_000, 3_000, (1, 6, 7)  # training images; trousers, shirts, sneakers
SMALL = (100, 200, 500, 1_000, 2_000)
VALUES = ("fd", "kd", "precision", "recall", "density", "coverage", "auth", "copying", "copying, 10 cells")


def training_set():
    return open_data(DataConfig(source=str(fashion.source()), size=(32, 32)))


def climb(folder, images, count, seed):
    """Train `auto`, and save samples of its averaged generator on the way."""
    dataset, machine = training_set(), runtime.start_runtime(threads=1, images=True)
    request = Request(
        images=images, seed=seed, recipe="auto", settings=('training.metric=""', "data.held_out=0")
    )
    state = TrainState(resolve_experiment(request, dataset, machine), dataset, machine)
    guard, begin, facts = NaNGuard(state), time.process_time(), data_metadata(dataset)
    for mark in [mark for mark in MARKS if mark <= images]:
        while state.clock.images < mark:
            guard.add(state.train_step())
            if guard.due:
                guard.commit()
        np.save(folder / f"auto {mark:,}.npy", sampling.sample_array(state.generation, facts, count, seed=1))
        print(
            f"{state.clock.images:,} images, {time.process_time() - begin:.0f} CPU-s with samples", flush=True
        )
    one = torch.full((count,), 1)
    np.save(
        folder / "one class.npy", sampling.sample_array(state.generation, facts, count, seed=1, labels=one)
    )


def make_sets(folder, count=MOST):
    """All sets of images by name, the first `count` of each; `test` and `train` are the references."""
    rng, best = np.random.default_rng(0), np.load(folder / f"{ORDER[-2]}.npy")
    images, labels = fashion.load_images("train")
    order = rng.permutation(len(images))
    train, fresh = images[order[:count]], order[count : count + POOL]  # `fresh` ones are not in `train`
    real, chosen = images[fresh[:count]], fresh[~np.isin(labels[fresh], LEFT_OUT)][:count]
    assert len(chosen) == count, "a larger POOL"
    noisy = train.astype(int) + np.rint(rng.normal(0, 3, train.shape)).astype(int)
    outputs = {path.stem: np.load(path)[:count] for path in folder.glob("*.npy")}
    return outputs | {
        "test": fashion.load_images("t10k")[0][:count],
        "train": train,
        "real": real,
        "noise": rng.integers(0, 256, train.shape, dtype=np.uint8),
        "ten images": best[np.arange(count) % 10],
        "copies with noise": noisy.clip(0, 255).astype(np.uint8),
        "copies moved": shift_by_a_pixel(train, rng),
        "without 3 classes": images[chosen],
        "jpeg": np.stack([jpeg(image) for image in real]),
        "nearest": nearest(fresh[:count]),
    }


def shift_by_a_pixel(images, rng):
    """Each image shifted by one pixel, up, down, left or right."""
    ways = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    return np.stack([np.roll(x, ways[rng.integers(4)], (0, 1)) for x in images])


def jpeg(image):
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).save(file, "JPEG", quality=75)
    return np.asarray(Image.open(file))[..., None]


def nearest(rows):
    """The images of these rows, enlarged from 28x28 to 32x32 without a filter."""
    small = np.asarray(open_data(DataConfig(source=str(fashion.source()), size=(28, 28))).samples)[rows]
    sides = (np.arange(32) * 28 + 14) // 32
    return small[:, sides][:, :, sides]


def extract_all(folder, name, sets, count):
    """Features of the first `count` of all sets, cached in a file; an image that is in several sets is extracted once."""
    path = folder / f"{name}.npz"
    chosen = dict(np.load(path)) if path.exists() else {}
    rows = {x.tobytes(): row for key in chosen for x, row in zip(sets[key], chosen[key], strict=False)}
    extract = None
    for key, images in sets.items():
        begin = time.process_time()
        new = list({x.tobytes(): x for x in images[:count] if x.tobytes() not in rows}.items())
        if new:
            extract = extract or open_extractor(name)
            outputs = extract(np.stack([x for _, x in new]))
            rows |= {known: row for (known, _), row in zip(new, outputs, strict=True)}
            print(f"{name}, {key}: {len(new):,} new in {time.process_time() - begin:.0f} CPU-s", flush=True)
        if len(chosen.get(key, ())) < count:
            chosen[key] = np.stack([rows[x.tobytes()] for x in images[:count]])
        if new:
            np.savez(path, **chosen)
    return {key: features[:count] for key, features in chosen.items()}


def open_extractor(name):
    """A function from images to features; `frozen` is the classifier of bench/fashion.py."""
    if name == "frozen":
        net = fashion.classifier()
        return lambda images: fashion.features(net, images)
    fitted = training_set() if name in ("pca", "classifier") else None
    found = load(name, runtime=runtime.start_runtime(device="cpu"), fitted_on=fitted)
    print(
        f"{name}: {found.dimension} features, weights {found.digest[:12]}, {found.preprocessing}", flush=True
    )
    return lambda images: found(images).features.numpy()


def values(found, key):
    """All metrics of one set."""
    test, train, fake = found["test"], found["train"], found[key]
    near = {
        "fd": metrics.frechet_distance(test, fake),
        "kd": metrics.kernel_distance(test, fake, size=min(1_000, len(fake)))[0],
        "auth": metrics.authenticity(train, fake),
        "copying": metrics.data_copying(train, test, fake),
        "copying, 10 cells": metrics.data_copying(train, test, fake, cells=10),
    }
    return near | metrics.precision_recall_density_coverage(test, fake)


def evaluate(folder, count, extractors):
    sets = make_sets(folder)
    Image.fromarray(sheet(sets)).save(folder / "ladder.png")
    for name in extractors:
        found = extract_all(folder, name, sets, count)
        table = {key: values(found, key) for key in [*ORDER, *BESIDE, "train", "test"]}
        table |= {f"fd of {n} real": {"fd": small_sample_distance(found, n)} for n in SMALL if n < count}
        table["one class, 2 % strays"] = values(found | {"both": add_strays(found)}, "both")
        (folder / f"{name}.{count}.json").write_text(json.dumps(table, indent=1))


def small_sample_distance(found, count):
    """The Frechet distance of `count` real training images to as many of the test set."""
    return metrics.frechet_distance(found["test"][:count], found["real"][:count])


def add_strays(found):
    """The collapsed generator, of whose samples a fiftieth are those of an early one."""
    mixed = found["one class"].copy()
    mixed[: len(mixed) // 50] = found[f"auto {MARKS[2]:,}"][: len(mixed) // 50]
    return mixed


def sheet(sets):
    """Twenty samples of each set, a row each."""
    rows = [sets[key][:20] for key in [*ORDER, *BESIDE]]
    return np.asarray(grid_image(np.concatenate(rows), 20))


def agreement(first, second):
    """Kendall's tau and Spearman's rho of two lists without ties.

    >>> agreement([1, 2, 3], [1, 3, 2])
    (0.3333333333333333, 0.5)
    """
    pairs = list(itertools.combinations(range(len(first)), 2))
    tau = sum(np.sign((first[i] - first[j]) * (second[i] - second[j])) for i, j in pairs) / len(pairs)
    ranks = [np.argsort(np.argsort(x)) for x in (first, second)]
    return float(tau), float(np.corrcoef(*ranks)[0, 1])


def show(folder):
    tables = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for name, table in tables.items():
        print(f"\n{name}\n| set | {' | '.join(VALUES)} |\n|---|{'---|' * len(VALUES)}")
        for key, found in table.items():
            print(f"| {key} | {' | '.join(f'{found[v]:.4g}' if v in found else '' for v in VALUES)} |")
    print("\nagreement (tau, rho) with the known order, 7 rungs; with the other extractors, all 14 sets")
    for value, sign in (("fd", -1), ("kd", -1), ("coverage", 1)):
        for name, table in tables.items():
            tau, rho = agreement(range(len(ORDER)), [sign * table[key][value] for key in ORDER])
            print(f"{value} {name}: {tau:.2f} {rho:.2f}")
        for one, two in itertools.combinations(tables, 2):
            lists = [[tables[name][key][value] for key in [*ORDER, *BESIDE]] for name in (one, two)]
            print("{} {} and {}: {:.2f} {:.2f}".format(value, one, two, *agreement(*lists)))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["climb", "evaluate", "show"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--images", type=int, default=MARKS[-1])
    parser.add_argument("--count", type=int, default=MOST)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--extractors", nargs="+", default=["pca", "frozen", "efficientnet_lite0"])
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    if args.what == "climb":
        climb(args.folder, args.images, args.count, args.seed)
    elif args.what == "evaluate":
        evaluate(args.folder, args.count, args.extractors)
    else:
        show(args.folder)


if __name__ == "__main__":
    main()
