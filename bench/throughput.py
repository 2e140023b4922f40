"""Images per CPU-second of a DCGAN step, Sparring against the plain loop, interleaved in one process.

    python bench/throughput.py [--blocks 9] [--seconds 4] [--threads 1]

Same networks and batch (checked: same number of parameters), Fashion-MNIST at 32x32. Peak memory is measured in a process each.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import torch

import fashion
from example import BATCH, Example
from sparring import runtime
from sparring.data import DataConfig, open_data
from sparring.guard import Guard
from sparring.match import Match
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES


def ours(threads):
    machine = runtime.start(threads=threads)
    dataset = open_data(DataConfig(source=str(fashion.source()), size=(32, 32)))
    experiment = RECIPES["dcgan"](Facts(spec=dataset.spec, count=len(dataset)))
    match = Match(experiment, dataset, machine)
    guard = Guard(match)

    def step():
        guard.note(match.step())
        if guard.due:
            guard.settle()
        return experiment.training.batch

    return step, match


def reference(threads):
    torch.set_num_threads(threads)
    example = Example(fashion.tensor(fashion.pictures()[0]))
    return example.step, example


def rate(step, seconds):
    begin, images = time.process_time(), 0
    while time.process_time() - begin < seconds:
        images += step()
    return images / (time.process_time() - begin)


def peak(who, threads):
    """Peak memory in MB of a process that trains for 60 steps."""
    code = f"import throughput as t; s, _ = t.{who}({threads}); [s() for _ in range(60)]; t.show()"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sys.path[0]
    )
    return float(out.stdout.split()[-1])


def show():
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    (plain, example), (fast, match) = reference(asked.threads), ours(asked.threads)
    counts = [
        sum(p.numel() for net in pair for p in net.parameters())
        for pair in ((example.generator, example.discriminator), match.game.players().values())
    ]
    for step in (plain, fast):
        rate(step, 1.0)
    pairs = [(rate(plain, asked.seconds), rate(fast, asked.seconds)) for _ in range(asked.blocks)]
    ratios = sorted(b / a for a, b in pairs)
    print(
        json.dumps(
            {
                "batch": BATCH,
                "parameters": counts,
                "plain_images_per_cpu_second": round(statistics.median(a for a, _ in pairs), 1),
                "sparring_images_per_cpu_second": round(statistics.median(b for _, b in pairs), 1),
                "ratio_median": round(statistics.median(ratios), 2),
                "ratio_range": [round(ratios[0], 2), round(ratios[-1], 2)],
                "peak_megabytes": {who: round(peak(who, asked.threads)) for who in ("reference", "ours")},
                "torch": torch.__version__,
                "threads": asked.threads,
            }
        )
    )


if __name__ == "__main__":
    main()
