"""Ng & Jordan's two regimes: naive Bayes against logistic regression, by the number of training samples.

    python bench/learning_curves.py mnist=FOLDER fashion=FOLDER --out curves.json    # folders of the idx files

Two pairs, each on the same pixels and both with planes between the classes:
    coarse: grey images brought to 7x7 (49 numbers, about as many as in the paper's sets); Gaussian naive Bayes with one variance
        a pixel for all classes against logistic regression
    binary: black and white at 28x28 (above mid-grey is white); Bernoulli naive Bayes against logistic regression
Both have a prior that does not depend on m: naive Bayes a = 1, logistic regression standard normal weights (decay 1/m). Errors are
on the 10,000 test images. All fits are done by the trainer; logistic regression gets 1,000 steps of 64, or 5 passes if these are
more.
"""

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sparring.core import rng
from sparring.core.game import ClassifierLike
from sparring.core.optimizers import Adam
from sparring.core.runtime import DeviceOptions
from sparring.core.schedule import LinearSchedule
from sparring.data import DataConfig, Dataset, open_data
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.classifier import ClassifierConfig
from sparring.games.naive_bayes import NaiveBayesConfig
from sparring.training.state import TrainState

COUNTS = (10, 20, 30, 50, 100, 300, 1_000, 3_000, 10_000, 60_000)
SEEDS = {3_000: 3, 10_000: 2, 60_000: 1}  # subsets of each size; 5 of the others
PAIRS = {
    "coarse": NaiveBayesConfig(family="gaussian", shared_variance=True),
    "binary": NaiveBayesConfig(family="bernoulli"),
}
SIDES = {"coarse": 7, "binary": 28}
RATES = {"coarse": 3e-2, "binary": 1e-3}  # of Adam; fewer numbers need larger weights


def open_split(folder: Path, split: str, side: int) -> Dataset:
    return open_data(DataConfig(source=str(next(folder.glob(f"{split}-images*"))), size=(side, side)))


def part(whole: Dataset, rows: np.ndarray, binary: bool) -> Dataset:
    """Some samples, of all of the classes."""
    samples = np.asarray(whole.samples[rows])
    return Dataset(
        (samples > 127).astype(np.uint8) * 255 if binary else samples,
        whole.labels[rows],
        whole.classes,
        fingerprint="",
        report=whole.report,
        config=whole.config,
    )


def naive_bayes(game: NaiveBayesConfig, count: int, seed: int) -> Experiment:
    training = TrainingConfig(total_images=count, batch=min(256, count), ema_half_life=0.0, seed=seed)
    return Experiment(recipe="naive_bayes", data=DataConfig(), game=game, optimizers={}, training=training)


def logistic(rate: float, count: int, seed: int) -> Experiment:
    images = max(1_000 * 64, 5 * count)
    return Experiment(
        recipe="logistic",
        data=DataConfig(),
        game=ClassifierConfig(weight_decay=1 / count),
        optimizers={"classifier": Adam(lr=LinearSchedule(start=rate, end=0.0, duration=images), beta1=0.9)},
        training=TrainingConfig(total_images=images, batch=64, ema_half_life=0.0, seed=seed),
    )


def fit(experiment: Experiment, dataset: Dataset) -> ClassifierLike:
    machine = DeviceOptions(device="cpu", precision="fp32", threads=1).start()
    state = TrainState(replace(experiment, training=experiment.training.resolve()), dataset, machine)
    while state.clock.images < experiment.training.total_images:
        state.train_step()
    found = state.model_for_inference().classifier()
    assert found is not None
    return found


@torch.no_grad()
def error(model: ClassifierLike, test: Dataset) -> float:
    wrong = 0
    for rows in np.array_split(np.arange(len(test)), 20):
        x, y = test.batch(rows)
        wrong += int((model.log_probabilities(x).argmax(1) != y).sum())
    return wrong / len(test)


def measure(folder: Path, pair: str) -> dict[str, dict[int, list[float]]]:
    train, held = (open_split(folder, split, SIDES[pair]) for split in ("train", "t10k"))
    test = part(held, np.arange(len(held)), pair == "binary")
    curves: dict[str, dict[int, list[float]]] = {"naive_bayes": {}, "logistic": {}}
    for count in COUNTS:
        for seed in range(SEEDS.get(count, 5)):
            order = torch.randperm(len(train), generator=rng.make_generator(seed, "subset")).numpy()
            subset = part(train, order[:count], pair == "binary")
            for name, experiment in {
                "naive_bayes": naive_bayes(PAIRS[pair], count, seed),
                "logistic": logistic(RATES[pair], count, seed),
            }.items():
                curves[name].setdefault(count, []).append(error(fit(experiment, subset), test))
        errors = {name: f"{100 * np.mean(curve[count]):.2f}%" for name, curve in curves.items()}
        print(folder, pair, count, errors, file=sys.stderr, flush=True)
    return curves


def crossing(curves: dict[str, dict[int, list[float]]]) -> float | None:
    """m at which the curves cross last, on straight lines between the measured points over log m; None if they do not."""
    gaps = [np.mean(curves["naive_bayes"][m]) - np.mean(curves["logistic"][m]) for m in COUNTS]
    for at in reversed(range(len(COUNTS) - 1)):
        if gaps[at] < 0 <= gaps[at + 1]:
            share = -gaps[at] / (gaps[at + 1] - gaps[at])
            return math.exp((1 - share) * math.log(COUNTS[at]) + share * math.log(COUNTS[at + 1]))
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for pair in PAIRS:
        for name, _, folder in (word.partition("=") for word in options.sets):
            curves = measure(Path(folder), pair)
            found[f"{name} {pair}"] = {"curves": curves, "crossing": crossing(curves)}
            options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
