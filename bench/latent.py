"""Log-likelihoods of variational autoencoders on MNIST: Table 1 of Davidson et al. 2018 (arXiv:1804.00891), and rows like it.

    python bench/latent.py --posterior normal von_mises_fisher --d 2 5 10 20 40 --seeds 0 1 2 --epochs 60
    python bench/latent.py --static --posterior normal --d 40 --hidden 400 --batch 100 --epochs 60 --samples 200   # pythae's VAE

Networks 784-256-128-z-128-256-784 (or --hidden), Bernoulli likelihood of images that are binarised anew each time they
are used, Adam at --lr, which falls to 0 over the second half of the run, KL warmed up over a fifth of it, weights averaged. Then,
on the 10,000 test images, binarised once: log-likelihood by importance sampling, ELBO, RE, KL. d is that of S^d, in
R^(d+1). One line of JSON a run; with --keep the runs stay in that folder, and lines that are in --log are not run again.

--static is the protocol of Larochelle & Murray 2011: 50,000 training images, binarised once. (Their files were
not available: each pixel is white with the probability of its grey.)
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import mnist
from sparring.core import runtime
from sparring.data import DataConfig, open_data
from sparring.runs.generator_file import GENERATOR_FILE, load
from sparring.runs.request import Request
from sparring.training.start import run_training

STATIC = 50_000
RECIPES = {"normal": "vae", "von_mises_fisher": "svae", "power_spherical": "svae"}


def settings(posterior, latent, args):
    images = length(args)
    half = images // 2
    chosen = [
        f"game.posterior.type={posterior}",
        f"game.posterior.latent={latent}",
        f"optimizers.autoencoder.lr={json.dumps(falling(args.lr, images, half))}",
        f"training.ema_half_life={args.half_life}",
    ]
    if args.warm_up:
        over = int(args.warm_up * images)
        chosen.append(
            f"game.beta={json.dumps({'type': 'linear', 'start': 0.0, 'end': 1.0, 'duration': over})}"
        )
    if args.static:
        chosen.append("game.likelihood.binarise=none")
    if args.hidden:
        chosen += [f"game.encoder.hidden={args.hidden}", f"game.decoder.hidden={args.hidden[::-1]}"]
    return tuple(chosen)


def falling(lr, images, over):
    return {"type": "linear", "start": lr, "end": 0.0, "delay": images - over, "duration": over}


def length(args):
    """In images."""
    return args.epochs * (STATIC if args.static else 60_000)


def source(split, static):
    """The set, or a binarised copy of it: each pixel is white with the probability of its grey."""
    path = mnist.source(split)
    if not static:
        return path
    copy = mnist.CACHE / "mnist" / f"static-{split}.npz"
    if not copy.exists():
        grey = np.asarray(open_data(DataConfig(source=str(path), size=(28, 28))).samples)[:STATIC]
        white = np.random.default_rng(0).random(grey.shape) < grey / 255
        np.savez_compressed(copy, images=white.astype(np.uint8) * 255)
    return copy


def evaluate(path, args):
    generation = load(path).generation
    test = open_data(DataConfig(source=str(source("t10k", args.static)), size=(28, 28)))
    x, _ = test.batch(range(min(args.count, len(test))))
    return generation.log_likelihood(x, samples=args.samples)


def run(posterior, latent, seed, args):
    request = Request(
        data=str(source("train", args.static)),
        recipe=RECIPES[posterior],
        images=length(args),
        seed=seed,
        batch=args.batch,
        size=(28, 28),
        settings=settings(posterior, latent, args),
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.keep or temporary) / f"{posterior}-{latent}-{seed}"
        begin, began = time.process_time(), time.monotonic()
        run_training(request, folder, lambda images: runtime.start_runtime(precision="fp32", threads=1))
        spent, took = time.process_time() - begin, time.monotonic() - began
        found = evaluate(folder / GENERATOR_FILE, args)
    return {
        "cpu_seconds": round(spent),
        "seconds": round(took),
        "log_likelihood": round(found.log_likelihood, 2),
        "elbo": round(found.elbo, 2),
        "re": round(found.re, 2),
        "kl": round(found.kl, 2),
        "active": f"{found.active_units}/{found.codes}",
        "standard_error": round(found.standard_error, 2),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--posterior", nargs="+", default=["normal", "von_mises_fisher"], choices=list(RECIPES)
    )
    parser.add_argument("--d", nargs="+", type=int, default=[2, 5, 10, 20, 40])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--half-life", type=float, default=60_000.0)
    parser.add_argument("--hidden", nargs="+", type=int, default=[])
    parser.add_argument("--static", action="store_true")
    parser.add_argument(
        "--warm-up",
        type=float,
        default=0.0,
        help="share of the run in which KL is warmed up (0: the recipe's)",
    )
    parser.add_argument("--samples", type=int, default=500, help="importance samples")
    parser.add_argument("--count", type=int, default=10_000, help="test images")
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--log", type=Path, default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    lines = args.log.read_text().splitlines() if args.log and args.log.exists() else []
    names = ("posterior", "d", "seed", "epochs", "batch", "hidden", "static", "warm_up")
    done = [
        tuple(str(json.loads(line).get(name, {"warm_up": 0.0}.get(name, False))) for name in names)
        for line in lines
    ]
    for seed in args.seeds:
        for latent in args.d:
            for posterior in args.posterior:
                what = dict(
                    zip(
                        names,
                        (
                            posterior,
                            latent,
                            seed,
                            args.epochs,
                            args.batch,
                            args.hidden,
                            args.static,
                            args.warm_up,
                        ),
                        strict=True,
                    )
                )
                if tuple(map(str, what.values())) in done:
                    continue
                line = json.dumps(what | run(posterior, latent, seed, args))
                print(line, flush=True)
                if args.log:
                    with open(args.log, "a") as log:
                        log.write(line + "\n")


if __name__ == "__main__":
    main()
