"""A step of the MNIST VAE (784-256-128-z-128-256-784, batch 64) against a hand-written loop of the same work, in CPU time.

    python bench/vae_epoch.py TRAIN-IMAGES-IDX3-UBYTE [--recipe vae|svae] [--blocks 9] [--seconds 3] [--precision auto|fp32|bf16]
    python bench/vae_epoch.py TRAIN-IMAGES-IDX3-UBYTE --jax PYTHON      a JAX loop too, by a Python that has jax
    python bench/vae_epoch.py TRAIN-IMAGES-IDX3-UBYTE --against vae     another recipe of ours instead of the hand-written loop

Both: images binarised anew in each step, Bernoulli likelihood, KL with its weight, Adam at 1e-3. The hand-written loop
holds its images as a float tensor, is eager float32 with fused Adam, and neither averages weights, nor keeps copies to fall back
to, nor records anything, as ours does. Blocks of the two alternate; a step's time is the CPU time of the process (of all its
threads) over the number of steps, so that other programs on the machine disturb little.
"""

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from overhead import guarded
from sparring.core import runtime
from sparring.data import DataConfig, open_data
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES
from sparring.training.state import TrainState

BATCH, LATENT, PIXELS = 64, 10, 784


def ours(dataset, recipe, precision):
    facts = Facts(spec=dataset.spec, count=len(dataset))
    experiment = RECIPES[recipe](facts)
    experiment = replace(experiment, data=dataset.config, training=experiment.training.resolve())
    return guarded(TrainState(experiment, dataset, runtime.start_runtime(precision=precision, threads=1)))


def plain(dataset):
    x = torch.from_numpy(dataset.samples.reshape(-1, PIXELS).copy()).float() / 255
    encoder = nn.Sequential(
        nn.Linear(PIXELS, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 2 * LATENT)
    )
    decoder = nn.Sequential(
        nn.Linear(LATENT, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, PIXELS)
    )
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3, fused=True)
    order, at = torch.randperm(len(x)), 0

    def step():
        nonlocal order, at
        if at + BATCH > len(x):
            order, at = torch.randperm(len(x)), 0
        binary = torch.bernoulli(x[order[at : at + BATCH]])
        at += BATCH
        mean, raw = encoder(binary).chunk(2, 1)
        std = F.softplus(raw)
        logits = decoder(mean + std * torch.randn_like(std))
        bits = F.binary_cross_entropy_with_logits(logits, binary, reduction="sum")
        kl = 0.5 * (mean**2 + std**2 - 1).sum() - std.log().sum()
        adam.zero_grad(set_to_none=True)
        ((bits + 0.5 * kl) / BATCH).backward()
        adam.step()

    return step


def milliseconds(step, seconds):
    begin, steps = time.process_time(), 0
    while time.process_time() - begin < seconds:
        for _ in range(16):
            step()
        steps += 16
    return 1000 * (time.process_time() - begin) / steps


def other(python, path, seconds):
    """The JAX loop's process, and a function that runs one block of it."""
    command = [python, str(Path(__file__).with_name("vae_epoch_jax.py")), path, str(seconds)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def block():
        child.stdin.write("\n")
        child.stdin.flush()
        return float(child.stdout.readline())

    return child, block


def compare(rows):
    ratios = sorted(mine / theirs for mine, theirs in rows)
    return {
        "theirs_ms": round(statistics.median(theirs for _, theirs in rows), 3),
        "sparring_ms": round(statistics.median(mine for mine, _ in rows), 3),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_range": [round(ratios[0], 3), round(ratios[-1], 3)],
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images")
    parser.add_argument("--recipe", default="vae")
    parser.add_argument("--against", default="", help="another recipe of ours")
    parser.add_argument("--jax", default="", help="a Python that has jax")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    dataset = open_data(DataConfig(source=args.images, size=(28, 28)))
    mine = ours(dataset, args.recipe, args.precision)
    theirs = ours(dataset, args.against, args.precision) if args.against else plain(dataset)
    blocks = [lambda: milliseconds(mine, args.seconds), lambda: milliseconds(theirs, args.seconds)]
    if args.jax:
        child, block = other(args.jax, args.images, args.seconds)
        blocks.append(block)
    milliseconds(mine, 1), milliseconds(theirs, 1)
    rows = [[block() for block in blocks] for _ in range(args.blocks)]
    print(json.dumps({args.against or "torch": compare([row[:2] for row in rows])}))
    if args.jax:
        print(json.dumps({"jax": compare([[row[0], row[2]] for row in rows])}))
        child.terminate()


if __name__ == "__main__":
    main()
