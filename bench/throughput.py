"""Images per CPU-second of a DCGAN step, Sparring against the plain loop: a process each, taking turns.

    python bench/throughput.py [--blocks 9] [--seconds 4] [--threads 1]

The same networks (checked: as many parameters), batch and data: Fashion-MNIST at 32x32. Each process runs as its user would run it,
so Sparring's includes its guard and its choice of precision; peak memory is that of the process at the end.
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


def reference(threads):
    torch.set_num_threads(threads)
    example = Example(fashion.tensor(fashion.load_images()[0]))
    return example.step, [example.generator, example.discriminator]


def sparring(threads):
    from sparring.core import runtime
    from sparring.data import DataConfig, open_data
    from sparring.recipes.facts import Facts
    from sparring.recipes.table import RECIPES
    from sparring.training.nan_guard import NaNGuard
    from sparring.training.state import TrainState

    machine = runtime.start_runtime(threads=threads)
    dataset = open_data(DataConfig(source=str(fashion.source()), size=(32, 32)))
    state = TrainState(RECIPES["dcgan"](Facts(spec=dataset.spec, count=len(dataset))), dataset, machine)
    guard = NaNGuard(state)

    def step():
        guard.add(state.train_step())
        if guard.due:
            guard.commit()
        return BATCH

    return step, list(state.game.players().values())


def work(who, threads):
    """Answers each line of seconds with images a CPU-second; at the end, parameters and peak memory."""
    step, networks = {"reference": reference, "sparring": sparring}[who](threads)
    for _ in range(5):
        step()
    print(sum(p.numel() for network in networks for p in network.parameters()), flush=True)
    for line in sys.stdin:
        begin, images = time.process_time(), 0
        while time.process_time() - begin < float(line):
            images += step()
        print(images / (time.process_time() - begin), flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


class Worker:
    def __init__(self, who, threads):
        command = [sys.executable, __file__, "--work", who, "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.parameters = int(self.process.stdout.readline())

    def rate(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def peak(self):
        self.process.stdin.close()
        return round(float(self.process.stdout.readline()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        return work(args.work, args.threads)
    plain, ours = Worker("reference", args.threads), Worker("sparring", args.threads)
    pairs = [(plain.rate(args.seconds), ours.rate(args.seconds)) for _ in range(args.blocks)]
    ratios = sorted(b / a for a, b in pairs)
    row = {
        "parameters": [plain.parameters, ours.parameters],
        "reference_images_per_cpu_second": round(statistics.median(a for a, _ in pairs), 1),
        "sparring_images_per_cpu_second": round(statistics.median(b for _, b in pairs), 1),
        "ratio_median": round(statistics.median(ratios), 2),
        "ratio_range": [round(ratios[0], 2), round(ratios[-1], 2)],
        "peak_megabytes": {"reference": plain.peak(), "sparring": ours.peak()},
        "torch": torch.__version__,
        "threads": args.threads,
        "blocks": args.blocks,
    }
    print(json.dumps(row))
    return None


if __name__ == "__main__":
    main()
