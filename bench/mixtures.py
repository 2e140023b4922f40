"""Ring and grid, by the protocol of PacGAN's Table 1 (Lin et al. 2018, arXiv:1712.04086).

    python bench/mixtures.py --data ring --recipe auto --seeds 0 1 2 3 4 [--images N]

2,500 samples; one is of high quality within 3 standard deviations of a mode; a mode is found if it has one such. A perfect sampler
has 98.9 % of high quality. The spread is the standard deviation about the true mean, over samples within 5, against the truth.
"""

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import numpy as np

from sparring.core import runtime
from sparring.data.readers.points import mixture_modes
from sparring.inference import sampling
from sparring.metrics import mode_coverage
from sparring.runs.generator_file import GENERATOR_FILE, load
from sparring.runs.request import Request
from sparring.training.start import run_training


def evaluate_points(points, data):
    """Modes found, share of high quality, reverse KL to uniform modes, and spread within modes over the true one."""
    found = mode_coverage(points, *mixture_modes(data))
    return {
        "modes": int(found["modes"]),
        "high_quality": round(found["high_quality"], 4),
        "reverse_kl": round(found["reverse_kl"], 4),
        "spread": round(found["spread"], 3) if "spread" in found else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=["ring", "grid"], default="ring")
    parser.add_argument("--recipe", default="auto")
    parser.add_argument("--images", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[])
    args = parser.parse_args()
    rows = []
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as folder:
            out, begin, spent = Path(folder) / "run", time.monotonic(), time.process_time()
            request = Request(
                data=args.data,
                recipe=args.recipe,
                images=args.images,
                seed=seed,
                settings=tuple(args.set),
            )
            result = run_training(
                request, out, lambda images: runtime.start_runtime(threads=args.threads, images=images)
            )
            if result.exit_code:
                raise SystemExit(result.exit_code)
            loaded = load(out / GENERATOR_FILE)
        row = evaluate_points(
            sampling.sample_array(loaded.generation, loaded.metadata, 2_500, seed=seed + 1), args.data
        )
        row |= {"seconds": round(time.monotonic() - begin), "cpu_seconds": round(time.process_time() - spent)}
        rows.append(row)
        print(
            json.dumps(
                {
                    "data": args.data,
                    "recipe": args.recipe,
                    "images": loaded.metadata["images"],
                    "seed": seed,
                    **row,
                }
            ),
            flush=True,
        )
    for name in ("modes", "high_quality", "reverse_kl", "spread"):
        values = np.array([row[name] for row in rows if row[name] is not None], float)
        if len(values) > 1:
            print(
                f"{name}: {values.mean():.3f} +- {values.std(ddof=1) / math.sqrt(len(values)):.3f} (s.e., n={len(values)})"
            )


if __name__ == "__main__":
    main()
