"""How much do directions change their attribute, and how much else? By a classifier of labelled images and image statistics.

    F=~/.cache/sparring-bench/fashion/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
    sparring train $F --size 32 --threads 1 --out RUN --until 5m \
        --set data.labels=false data.pseudo_classes=0 game.conditional=false game.head=linear
    python bench/latent_directions.py RUN --wanted 1 3 brightness

Fashion-MNIST at 32x32, with an unconditional generator. n samples that the directions were not found with are changed with each
strength; the row is of the first strength with a success rate of at least 90 %, with the fields of `sparring.latent.Effect`; for
classes also `second`, the success rate by another classifier.
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


def row(method, attribute, direction, effects, seconds):
    best = first_successful(effects) or max(effects, key=lambda each: each.success_rate)
    leakage = sorted(best.leakage.items(), key=lambda pair: -pair[1])[:4]
    return {
        "method": method,
        "attribute": attribute,
        "cpu_seconds": round(seconds, 1),
        "strength": best.strength,
        "n": best.n,
        "success_rate": round(best.success_rate, 3),
        "increase_rate": round(best.increase_rate, 3),
        "gain": round(best.gain, 2),
        "entanglement": round(best.entanglement, 3),
        "class_preservation": round(best.class_preservation, 3),
        "leakage": {name: round(value, 2) for name, value in leakage},
        "statistics": {name: round(value, 3) for name, value in (direction.statistics or {}).items()},
    }


def second(generation, direction, attribute, strength, n, net):
    """The success rate by a second classifier, trained apart from the one that the direction was found with."""
    z, y = latent.sample_latents(generation, 1_000_003, range(n)), generation.draw_labels(1_000_003, range(n))
    before, after = (
        net(latent.decode(generation, each, y)).argmax(1) == int(attribute)
        for each in (z, direction.apply(z, strength))
    )
    return round(float(after[~before].float().mean()), 3)


def strongest(directions, generation, scorer, attribute):
    """Of unsupervised directions and their opposites, the one that increases the attribute most."""
    signed = [
        latent.Direction(name=each.name, vector=sign * each.vector, kind=each.kind)
        for each in directions
        for sign in (1, -1)
    ]
    gains = [
        latent.measure_direction(generation, each, scorer, attribute, strength=4.0, n=100, seed=5).gain
        for each in signed
    ]
    return signed[gains.index(max(gains))]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--wanted", nargs="+", default=["1", "3", "brightness"])
    parser.add_argument("--by", nargs="+", default=["labels", "classifier", "sefa", "pca"])
    parser.add_argument("--n", type=int, default=500)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    generation = load(arguments.run).generator.generation
    data = open_data(DataConfig(source=str(fashion.source()), size=(fashion.SIDE, fashion.SIDE)))
    classifier = features.load("classifier", runtime=runtime.start_runtime("cpu", threads=1), fitted_on=data)
    print(json.dumps({"classifier": classifier.digest[:12], "accuracy": classifier.accuracy}), flush=True)
    scorer = latent.CombinedScorer([latent.ClassScorer(classifier), latent.StatisticsScorer(generation.spec)])
    net = fashion.classifier("better-classifier", epochs=6)
    for attribute in arguments.wanted:
        for method in arguments.by:
            start = time.process_time()
            if method == "labels":
                extremes = 0.1 if attribute.isdigit() else 0.2
                direction = latent.direction_from_scores(
                    generation, scorer, attribute, n=4_000, extremes=extremes
                )
            elif method == "classifier":
                direction = latent.direction_from_gradient(generation, scorer, attribute)
            else:
                methods = {"sefa": latent.sefa_directions, "pca": latent.pca_directions}
                direction = strongest(methods[method](generation, 10), generation, scorer, attribute)
            seconds = time.process_time() - start
            effects = latent.measure_strengths(
                generation, direction, scorer, attribute, STRENGTHS, n=arguments.n
            )
            result = row(method, attribute, direction, effects, seconds)
            if attribute.isdigit():
                result["second"] = second(
                    generation, direction, attribute, result["strength"], arguments.n, net
                )
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
