"""What the abstractions cost: a step of the smallest game on 2-D data against a plain hand-written loop, interleaved.

    python bench/overhead.py [--blocks 9] [--seconds 3]

Both: perceptrons 2 x 128, latent 16, batch 512, non-saturating loss, fused Adam.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from sparring.core import runtime
from sparring.core.optimizers import Adam
from sparring.data import DataConfig, open_data
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.parts.objectives import NonSaturating
from sparring.training.nan_guard import NaNGuard
from sparring.training.state import TrainState

BATCH, LATENT, WIDTH = 512, 16, 128


def ours(dataset):
    adam = Adam(lr=1e-3)
    experiment = Experiment(
        recipe="overhead",
        data=dataset.config,
        game=AdversarialConfig(
            generator=MLPGenerator(latent=LATENT, hidden=(WIDTH, WIDTH), activation="relu"),
            discriminator=MLPDiscriminator(hidden=(WIDTH, WIDTH), activation="leaky_relu"),
            objective=NonSaturating(),
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=TrainingConfig(total_images=10**9, batch=BATCH),
    )
    return guarded(TrainState(experiment, dataset, runtime.start_runtime(threads=1, images=False)))


def guarded(state):
    """A training step with the NaN guard and the copies that it reverts to."""
    guard = NaNGuard(state)

    def step():
        guard.add(state.train_step())
        if guard.due:
            guard.commit()

    return step


def plain(dataset):
    x = torch.from_numpy(dataset.samples)
    generator = nn.Sequential(
        nn.Linear(LATENT, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2)
    )
    discriminator = nn.Sequential(
        nn.Linear(2, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, 1),
    )
    to_g = torch.optim.Adam(generator.parameters(), 1e-3, (0.5, 0.999), fused=True)
    to_d = torch.optim.Adam(discriminator.parameters(), 1e-3, (0.5, 0.999), fused=True)

    def step():
        real = x[torch.randint(len(x), (BATCH,))]
        fake = generator(torch.randn(BATCH, LATENT)).detach()
        loss = (F.softplus(-discriminator(real)) + F.softplus(discriminator(fake))).mean()
        to_d.zero_grad(set_to_none=True)
        loss.backward()
        to_d.step()
        loss = F.softplus(-discriminator(generator(torch.randn(BATCH, LATENT)))).mean()
        to_g.zero_grad(set_to_none=True)
        loss.backward()
        to_g.step()

    return step


def milliseconds(step, seconds):
    begin, steps = time.process_time(), 0
    while time.process_time() - begin < seconds:
        step()
        steps += 1
    return 1000 * (time.process_time() - begin) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    dataset = open_data(DataConfig(source="ring"))
    step_plain, step_ours = plain(dataset), ours(dataset)
    milliseconds(step_plain, 1), milliseconds(step_ours, 1)
    pairs = [
        (milliseconds(step_plain, args.seconds), milliseconds(step_ours, args.seconds))
        for _ in range(args.blocks)
    ]
    ratios = sorted(b / a for a, b in pairs)
    print(
        json.dumps(
            {
                "plain_ms": round(statistics.median(a for a, _ in pairs), 3),
                "sparring_ms": round(statistics.median(b for _, b in pairs), 3),
                "ratio_median": round(statistics.median(ratios), 3),
                "ratio_range": [round(ratios[0], 3), round(ratios[-1], 3)],
            }
        )
    )


if __name__ == "__main__":
    main()
