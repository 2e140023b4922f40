"""Time and memory of the metrics on features of usual size: 10,000 real and 10,000 generated rows of 1,280.

    python bench/metric_cost.py [--count 10000] [--width 1280] [--threads 2] [--metrics fd kd ...]

Each metric runs in a process of its own; its peak memory is that of the process, minus the memory before the call (the
interpreter, torch and both tables, which are float32 like an extractor's output). The features are random, positive and
correlated, as those of a network are: their values do not change the time.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from sparring import metrics

METRICS: dict[str, Callable[[Tensor, Tensor], object]] = {
    "fd": metrics.frechet_distance,
    "fdinf": metrics.frechet_infinity,
    "kd": lambda real, fake: metrics.kernel_distance(real, fake, size=min(1_000, len(fake))),
    "prdc": metrics.precision_recall_density_coverage,
    "auth": metrics.authenticity,
}


def features(count: int, width: int, seed: int) -> Tensor:
    """ReLU of a product of normal numbers, of which a fifth of the width is independent."""
    draw = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width // 5, width, generator=torch.Generator().manual_seed(0)) / (width // 5) ** 0.5
    blocks = [
        torch.randn(len(rows), width // 5, generator=draw) @ mixing for rows in torch.arange(count).split(500)
    ]
    return torch.cat(blocks).relu_()


def measure(metric: str, count: int, width: int) -> None:
    real, fake = features(count, width, 1), features(count, width, 2)
    torch.mm(real[:200], fake[:200].T)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock, processor = time.perf_counter(), time.process_time()
    value = METRICS[metric](real, fake)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{metric:6} {clock:7.1f} s {processor:7.1f} CPU-s {memory:7.0f} MiB   {value}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=1_280)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if len(args.metrics) == 1:
        measure(args.metrics[0], args.count, args.width)
        return
    sizes = [f"--{name}={getattr(args, name)}" for name in ("count", "width", "threads")]
    for metric in args.metrics:
        subprocess.run([sys.executable, __file__, *sizes, "--metrics", metric], check=True)


if __name__ == "__main__":
    main()
