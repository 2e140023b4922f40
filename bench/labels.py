"""Label accuracy: the share of generated images that a frozen classifier assigns to the requested class.

    python bench/labels.py [--recipe cgan] [--images 300000] [--seed 0] [--threads 1]

Fashion-MNIST at 32x32; 1,000 images a class. The classifier is trained twice as long as the one that distances
are measured with; its accuracy on real test images is printed beside.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch

import fashion
from sparring.core import runtime
from sparring.inference import sampling
from sparring.runs.generator_file import GENERATOR_FILE, load
from sparring.runs.request import Request
from sparring.training.start import run_training


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="cgan")
    parser.add_argument("--images", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    net, evaluator = fashion.classifier("better-classifier", epochs=6), fashion.Evaluator()
    out = args.out or Path(tempfile.mkdtemp()) / "run"
    begin = time.process_time()
    request = Request(
        data=str(fashion.source()),
        recipe=args.recipe,
        images=args.images,
        seed=args.seed,
        size=(32, 32),
        settings=tuple(args.set),
    )
    run_training(request, out, lambda images: runtime.start_runtime(threads=args.threads, images=images))
    spent = time.process_time() - begin
    loaded = load(out / GENERATOR_FILE)
    class_labels = torch.arange(10_000) % 10
    samples = sampling.sample_array(loaded.generation, loaded.metadata, 10_000, seed=1, labels=class_labels)
    hits = fashion.classes(net, samples) == class_labels.numpy()
    print(
        json.dumps(
            {
                "recipe": args.recipe,
                "set": args.set,
                "images": args.images,
                "seed": args.seed,
                "cpu_seconds": round(spent, 1),
                "agreement": round(float(hits.mean()), 4),
                "by_class": [
                    round(float(hits[class_labels.numpy() == number].mean()), 3) for number in range(10)
                ],
                "distance": round(evaluator.distance(samples), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
