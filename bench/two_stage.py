"""What a second stage adds to a variational autoencoder (Dai & Wipf 2019, arXiv:1903.05789, Table 1), on Fashion-MNIST at 32x32.

    python bench/two_stage.py two_stage_vae --images 2000000 --switch 1000000 --seeds 0 1
    python bench/two_stage.py vae --images 1000000 --seeds 0 1 --set game.posterior.latent=64     # cross-entropy
    python bench/two_stage.py auto --images 16000                                                 # a GAN

Three distances of each run, over the features of the small frozen classifier (bench/fashion.py), 10,000 images against the 10,000
of the test set: of `sampling`; of the first stage without the second (codes from the normal prior, `one_stage`); and of decoded
codes of 10,000 training images, z ~ q(z|x) (`codes`), which is what a perfect second stage would reach. --second names an
extractor of Sparring's for a kernel distance of --count images besides. One line of JSON a run.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import fashion
from sparring import features, metrics
from sparring.core import rng, runtime
from sparring.data.dataset import to_output
from sparring.games.two_stage import SecondStagePrior
from sparring.inference import sampling
from sparring.runs.generator_file import GENERATOR_FILE, load
from sparring.runs.request import Request
from sparring.training.start import run_training

COUNT, BLOCK = 10_000, 500


@torch.no_grad()
def decode_codes(loaded, images):
    """Images decoded from codes that are drawn for `images`."""
    encoder, decoder = loaded.generation.encoder_decoder()
    parts = []
    for at in range(0, len(images), BLOCK):
        x = fashion.tensor(images[at : at + BLOCK])
        draws = rng.KeyedRandom(0, (at,), len(x), device=x.device)
        prepared = decoder.likelihood.prepare_data(x, draws)
        codes = encoder.distribution(prepared).sample(draws, "code")[0]
        parts.append(to_output(decoder.decode(codes), loaded.generation.spec, loaded.metadata["units"]))
    return np.concatenate(parts)


def evaluated_images(loaded, seed, train_images):
    """The sets of images to evaluate, by name: uint8 (n, 32, 32, 1) each."""
    samples = {"samples": sampling.sample_array(loaded.generation, loaded.metadata, COUNT, seed=seed + 1)}
    if loaded.generation.encoder is None:
        return samples
    samples["codes"] = decode_codes(loaded, train_images[:COUNT])
    prior = loaded.generation.generator.prior
    if isinstance(prior, SecondStagePrior):
        prior.begun.zero_()
        samples["one_stage"] = sampling.sample_array(loaded.generation, loaded.metadata, COUNT, seed=seed + 1)
    return samples


class Second:
    """Kernel distances under one of Sparring's extractors."""

    def __init__(self, name, count):
        from sparring.data import DataConfig, open_data

        fitted = open_data(DataConfig(source=str(fashion.source()), size=(fashion.SIDE, fashion.SIDE)))
        self.extract = features.load(name, runtime=runtime.start_runtime(threads=1), fitted_on=fitted)
        self.name, self.count = f"kd{count}-{name}", count
        self.real = self.extract(fashion.load_images("t10k")[0][:count]).features

    def distance(self, images):
        return metrics.kernel_distance(self.real, self.extract(images[: self.count]).features)[0]


def run(args, seed, evaluator, second, train_images):
    chosen = [*args.set, *([f"game.switch={args.switch}"] if args.switch else [])]
    request = Request(
        data=str(fashion.source()),
        recipe=args.recipe,
        images=args.images,
        seed=seed,
        size=(32, 32),
        settings=tuple(chosen),
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep / f"{args.recipe}-{seed}" if args.keep else Path(temporary) / "run"
        begin = time.process_time()
        run_training(request, folder, lambda images: runtime.start_runtime(threads=1, images=images))
        spent = time.process_time() - begin
        loaded = load(folder / GENERATOR_FILE)
    row = {
        "recipe": args.recipe,
        "seed": seed,
        "images": args.images,
        "set": chosen,
        "cpu_seconds": round(spent),
    }
    for name, images in evaluated_images(loaded, seed, train_images).items():
        row[name] = round(evaluator.distance(images), 2)
        if second:
            row[f"{name} {second.name}"] = float(f"{second.distance(images):.4g}")
    return row


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--images", type=int, default=2_000_000)
    parser.add_argument("--switch", type=int, default=0)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--second", default="")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--keep", type=Path, default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    evaluator = fashion.Evaluator()
    second = Second(args.second, args.count) if args.second else None
    train_images = fashion.load_images("train")[0]
    for seed in args.seeds:
        print(json.dumps(run(args, seed, evaluator, second, train_images)), flush=True)


if __name__ == "__main__":
    main()
