"""Images per CPU-second of a step of pix2pix and CycleGAN, Sparring against the plain loop: one process, taking turns.

    python bench/translator_step.py [--only pix2pix] [--batch 8] [--blocks 7] [--steps 2] [--precision auto]

The papers' networks at 64x64 with 64 channels on both sides (bench/plain_translators.py; Sparring's U-Net has 2x2 kernels where the
inner grid is 1x1: the rest of a 4x4 kernel sees nothing there), the same data, as tensors. Sparring's step is that of training: the
batch stream, the NaN guard, the averaged translator. One thread.
"""

import argparse
import json
import statistics
import time

import numpy as np
import torch

from overhead import guarded
from plain_translators import CycleGAN, Pix2pix
from sparring.core import runtime
from sparring.core.optimizers import Adam
from sparring.data import DataConfig
from sparring.data.dataset import Dataset
from sparring.data.report import DataReport
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.cycle import CycleConfig
from sparring.games.paired import PairedConfig
from sparring.parts.networks import PatchGAN, ResNetTranslator, UNet
from sparring.training.state import TrainState

SIDE, COUNT = 64, 64
CASES = [("pix2pix", 8), ("cyclegan", 1), ("cyclegan", 4)]
GAMES = {
    "pix2pix": (PairedConfig(translator=UNet(), discriminator=PatchGAN()), ("translator", "discriminator")),
    "cyclegan": (
        CycleConfig(translator=ResNetTranslator(), discriminator=PatchGAN()),
        ("translators", "discriminators"),
    ),
}


def dataset(paired):
    """Blocks of colour, as two domains."""
    rng = np.random.default_rng(0)
    config = DataConfig(size=(SIDE, SIDE))

    def domain(other=None):
        small = rng.integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
        samples = np.ascontiguousarray(small.repeat(SIDE // 8, 1).repeat(SIDE // 8, 2))
        report = DataReport(source="blocks", kind="array", count=COUNT)
        return Dataset(
            samples,
            None,
            (),
            fingerprint="",
            report=report,
            config=config,
            domain_b=other,
            paired=paired and other is not None,
        )

    return domain(domain())


def ours(name, batch, machine, data):
    game, players = GAMES[name]
    experiment = Experiment(
        recipe=name,
        data=data.config,
        game=game,
        optimizers=dict.fromkeys(players, Adam()),
        training=TrainingConfig(total_images=10**9, batch=batch),
    )
    state = TrainState(experiment, data, machine)
    return guarded(state), list(state.game.players().values())


def plain(name, batch, data):
    torch.manual_seed(0)
    game = {"pix2pix": Pix2pix, "cyclegan": CycleGAN}[name]()
    a, b = (
        torch.from_numpy(side.samples).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()
        for side in (data, data.domain_b)
    )

    def step():
        rows = torch.randint(COUNT, (batch,))
        game.step(a[rows], b[rows])

    return step, game.networks


def rate(step, steps, batch):
    begin = time.process_time()
    for _ in range(steps):
        step()
    return steps * batch / (time.process_time() - begin)


def measure(name, batch, machine, args):
    data = dataset(name == "pix2pix")
    (reference, theirs), (step, networks) = plain(name, batch, data), ours(name, batch, machine, data)
    steps = max(1, round(args.steps * (4 / batch if name == "cyclegan" else 1)))
    for warm in (reference, step, step):
        warm()
    pairs = [(rate(reference, steps, batch), rate(step, steps, batch)) for _ in range(args.blocks)]
    ratios = sorted(b / a for a, b in pairs)
    return {
        "game": name,
        "batch": batch,
        "parameters": [
            sum(p.numel() for net in nets for p in net.parameters()) for nets in (theirs, networks)
        ],
        "reference_images_per_cpu_second": round(statistics.median(a for a, _ in pairs), 2),
        "sparring_images_per_cpu_second": round(statistics.median(b for _, b in pairs), 2),
        "ratio_median": round(statistics.median(ratios), 2),
        "ratio_range": [round(ratios[0], 2), round(ratios[-1], 2)],
        "blocks": args.blocks,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(GAMES))
    parser.add_argument("--batch", type=int)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    args = parser.parse_args()
    machine = runtime.start_runtime(threads=1, precision=args.precision)
    for name, batch in CASES:
        if args.only in (None, name) and args.batch in (None, batch):
            print(json.dumps(measure(name, batch, machine, args)), flush=True)
    print(json.dumps({"torch": torch.__version__, **machine.describe()}))


if __name__ == "__main__":
    main()
