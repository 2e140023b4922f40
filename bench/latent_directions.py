"""Do directions change what was wanted, and what else? Judged by a classifier of the labelled images and by plain statistics.

    F=~/.cache/sparring-bench/fashion/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
    sparring train $F --size 32 --threads 1 --out RUN --until 5m \
        --set data.labels=false data.pseudo_classes=0 game.conditional=false game.head=linear
    python bench/latent_directions.py RUN --wanted 1 3 brightness

Fashion-MNIST at 32x32; the generator knows no labels. n samples that the directions were not found with are moved by each
strength; the first strength with at least 90 % is told: `success_rate`, the share of those that did not have the attribute and then
do; `increase_rate`, the share of all in which it rose by half a standard deviation; the leaks and the entanglement as
`sparring.latent.measuring` defines them; for classes `second`, what arrives as another classifier sees it.
"""

import argparse
import json
import time
from pathlib import Path

import torch

import fashion
from sparring import features, load
from sparring.core import runtime
from sparring.data import DataConfig, open_data
from sparring.inference import latent
from sparring.inference.latent.effects import first_successful

STRENGTHS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def line(how, wanted, direction, effects, seconds):
    best = first_successful(effects) or max(effects, key=lambda each: each.success_rate)
    leaks = sorted(best.leakage.items(), key=lambda pair: -pair[1])[:4]
    return {
        "how": how,
        "wanted": wanted,
        "cpu_seconds": round(seconds, 1),
        "strength": best.strength,
        "n": best.n,
        "arrives": round(best.success_rate, 3),
        "rises": round(best.increase_rate, 3),
        "gain": round(best.gain, 2),
        "entanglement": round(best.entanglement, 3),
        "keeps": round(best.class_preservation, 3),
        "leaks": {name: round(value, 2) for name, value in leaks},
        "found": {name: round(value, 3) for name, value in (direction.statistics or {}).items()},
    }


def second(generation, direction, wanted, strength, n, net):
    """The share that arrives as a second classifier sees it, trained apart from the one that the direction was found with."""
    z, y = latent.sample_latents(generation, 1_000_003, range(n)), generation.draw_labels(1_000_003, range(n))
    before, after = (
        net(latent.decode(generation, each, y)).argmax(1) == int(wanted)
        for each in (z, direction.apply(z, strength))
    )
    return round(float(after[~before].float().mean()), 3)


def strongest(statistics, generation, judge, wanted):
    """Of directions that nobody asked for: the one that raises the wanted attribute most, or lowers it, turned round."""
    turned = [
        latent.Direction(name=each.name, vector=sign * each.vector, kind=each.kind)
        for each in statistics
        for sign in (1, -1)
    ]
    gains = [
        latent.measure_direction(generation, each, judge, wanted, strength=4.0, n=100, seed=5).gain
        for each in turned
    ]
    return turned[gains.index(max(gains))]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--wanted", nargs="+", default=["1", "3", "brightness"])
    parser.add_argument("--how", nargs="+", default=["labels", "classifier", "sefa", "pca"])
    parser.add_argument("--n", type=int, default=500)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    generation = load(asked.run).generator.generation
    data = open_data(DataConfig(source=str(fashion.source()), size=(fashion.SIDE, fashion.SIDE)))
    classifier = features.load("classifier", runtime=runtime.start_runtime("cpu", threads=1), fitted_on=data)
    print(json.dumps({"classifier": classifier.digest[:12], "accuracy": classifier.accuracy}), flush=True)
    judge = latent.CombinedScorer([latent.ClassScorer(classifier), latent.StatisticsScorer(generation.spec)])
    net = fashion.classifier("better-classifier", epochs=6)
    for wanted in asked.wanted:
        for how in asked.how:
            began = time.process_time()
            if how == "labels":
                extremes = 0.1 if wanted.isdigit() else 0.2
                direction = latent.direction_from_scores(
                    generation, judge, wanted, n=4_000, extremes=extremes
                )
            elif how == "classifier":
                direction = latent.direction_from_gradient(generation, judge, wanted)
            else:
                ways = {"sefa": latent.sefa_directions, "pca": latent.pca_directions}
                direction = strongest(ways[how](generation, 10), generation, judge, wanted)
            spent = time.process_time() - began
            effects = latent.measure_strengths(generation, direction, judge, wanted, STRENGTHS, n=asked.n)
            told = line(how, wanted, direction, effects, spent)
            if wanted.isdigit():
                told["second"] = second(generation, direction, wanted, told["strength"], asked.n, net)
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
