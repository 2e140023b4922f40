"""Parzen-window log-likelihood can be gamed: centres of k-means beat true data (Theis et al. 2015, arXiv:1511.01844, table 1).

    python bench/gaming_parzen.py [--data animals] [--samples 2000] [--held-out 1000] [--threads 2]
    python bench/gaming_parzen.py --data .../train-images-idx3-ubyte.gz --samples 10000 --held-out 5000   (minutes)

Three kinds of 'samples' are evaluated by the protocol of 2014 (pixels in [0, 1], bandwidth by validation): training images
themselves, which no honest sampler can beat; centres of k-means of the training images; and noise. Beside each stands the
Fréchet distance to the same test images, on the same pixels.
"""

import argparse
import json
import time

import numpy as np
import torch

from sparring.core import rng
from sparring.data import DataConfig, open_data
from sparring.metrics import frechet_distance, parzen_log_likelihood


def split_pixels(source, held_out, seed):
    """Flat pixels in [0, 1], float32: training, validation and test images."""
    samples = torch.from_numpy(np.array(open_data(DataConfig(source=source)).samples)).float() / 255
    order = torch.randperm(len(samples), generator=rng.make_generator(seed, "split"))
    parts = samples[order].split([len(order) - 2 * held_out, held_out, held_out])
    return [part.flatten(1) for part in parts]


def centres(samples, count, rounds, seed):
    """k-means by Lloyd, started at random samples; a centre without members does not change."""
    random = rng.make_generator(seed, "k-means")
    means = samples[torch.randperm(len(samples), generator=random)[:count]].clone()
    for _ in range(rounds):
        lengths = means.square().sum(1)
        nearest = torch.cat(
            [torch.addmm(lengths, block, means.T, alpha=-2).argmin(1) for block in samples.split(2_000)]
        )
        members = torch.bincount(nearest, minlength=count)[:, None]
        sums = torch.zeros_like(means).index_add_(0, nearest, samples)
        means = torch.where(members > 0, sums / members.clamp(min=1), means)
    return means


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="animals")
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--held-out", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    train, validation, test = split_pixels(args.data, args.held_out, args.seed)
    noise = torch.rand(args.samples, train.shape[1], generator=rng.make_generator(args.seed, "noise"))
    kinds = {
        "training images": lambda: train[: args.samples],
        "centres of k-means": lambda: centres(train, args.samples, args.rounds, args.seed),
        "noise": lambda: noise,
    }
    for name, make in kinds.items():
        begin, fake = time.monotonic(), make()
        row = parzen_log_likelihood(test, fake, validation=validation)
        row |= {"frechet_pixels": frechet_distance(test, fake)}
        row = {key: round(value, 4) for key, value in row.items()}
        print(
            json.dumps(
                {"samples": name, "of": len(train), **row, "seconds": round(time.monotonic() - begin, 1)}
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
