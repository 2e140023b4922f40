"""Colour: train on a set of colour images for a given time, and write sample grids.

    python bench/colour.py PATH --until 1h --out runs/colour [--size 64] [--recipe auto] [--threads 2]

Prints images a second and peak memory.
"""

import argparse
import json
import time
from pathlib import Path

from sparring.core import runtime
from sparring.runs.request import Request
from sparring.training.start import run_training
from sparring.training.throughput import peak_memory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--until", default="1h")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int)
    parser.add_argument("--recipe", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    size = (args.size, args.size) if args.size else None
    request = Request(
        data=args.data, recipe=args.recipe, until=args.until, size=size, settings=tuple(args.set)
    )
    begin, rates = time.monotonic(), []
    run_training(
        request,
        args.out,
        lambda images: runtime.start_runtime(threads=args.threads, images=images),
        lambda status: rates.append((status.images, status.images_per_second)),
    )
    print(
        json.dumps(
            {
                "data": args.data,
                "images": rates[-1][0],
                "images_per_second": round(rates[-1][1], 1),
                "seconds": round(time.monotonic() - begin),
                "peak_megabytes": peak_memory() // 2**20,
            }
        )
    )


if __name__ == "__main__":
    main()
