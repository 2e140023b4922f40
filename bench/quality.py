"""Time to quality on Fashion-MNIST at 32x32: CPU-seconds until the Frechet distance of the plain DCGAN loop after 128,000 images.

    python bench/quality.py reference [--seed 0] [--images 128000]
    python bench/quality.py auto --images 24000 [--seed 0] [--set path=value ...]

The distance is over the features of a small frozen classifier (bench/fashion.py), 10,000 generated images, quantised to uint8,
against the 10,000 of the test set. CPU time counts all from the start of the program to the end of training, measuring
excluded; for the reference it counts the loop alone.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch

import fashion
from example import Example
from sparring.core.shapes import SampleSpec
from sparring.data.dataset import to_output


def reference(seed, images, evaluator):
    example = Example(fashion.tensor(fashion.load_images()[0]), seed)
    spent, seen_images, rows = 0.0, 0, []
    while seen_images < images:
        begin = time.process_time()
        while seen_images < images:
            seen_images += example.step()
            if seen_images % 32_000 < 64:
                break
        spent += time.process_time() - begin
        fake = to_output(example.sample(10_000), SampleSpec(shape=(1, 32, 32)), {})
        rows.append(
            {
                "images": seen_images,
                "cpu_seconds": round(spent, 1),
                "distance": round(evaluator.distance(fake), 2),
            }
        )
        print(json.dumps({"who": "reference", "seed": seed, **rows[-1]}), flush=True)
    return rows


def auto(seed, images, settings, recipe, evaluator):
    from sparring.core import runtime
    from sparring.inference import sampling
    from sparring.runs.generator_file import GENERATOR_FILE, load
    from sparring.runs.request import Request
    from sparring.training.start import run_training

    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        request = Request(
            data=str(fashion.source()),
            recipe=recipe,
            images=images,
            seed=seed,
            size=(32, 32),
            settings=tuple(settings),
        )
        run_training(
            request, Path(folder) / "run", lambda images: runtime.start_runtime(threads=1, images=images)
        )
        spent = time.process_time() - begin
        loaded = load(Path(folder) / "run" / GENERATOR_FILE)
    distance = evaluator.distance(
        sampling.sample_array(loaded.generation, loaded.metadata, 10_000, seed=seed + 1)
    )
    row = {
        "who": recipe,
        "seed": seed,
        "images": images,
        "cpu_seconds": round(spent, 1),
        "distance": round(distance, 2),
    }
    print(json.dumps(row), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("who")
    parser.add_argument("--images", type=int, default=128_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    torch.set_num_threads(1)
    evaluator = fashion.Evaluator()
    print(json.dumps({"floor_train_against_test": round(evaluator.floor(), 3)}))
    if args.who == "reference":
        reference(args.seed, args.images, evaluator)
    else:
        auto(args.seed, args.images, args.set, args.who, evaluator)


if __name__ == "__main__":
    main()
