"""The orderings of "Are GANs created equal?" (Lucic et al. 2018, arXiv:1711.10337) on Fashion-MNIST, at a small size.

    python bench/created_equal.py --seeds 0 1 2 --images 51200 --log created_equal.jsonl [--models mm wgan ...]
    python bench/created_equal.py --rate 10 ...                           # every learning rate ten times that
    python bench/created_equal.py --second efficientnet_lite0 --keep runs --seeds 0 ...
    python bench/created_equal.py --show --log created_equal.jsonl        # the table

One pair of DCGAN's networks (--width channels next to the image, 64 latent numbers) for all, 32x32, batches of 64, no average
of weights; each model's hyper-parameters are its authors', as the study lists them: Adam for all, rate and beta1 below, five steps
of the critic for WGAN and WGAN-GP, clipping at 0.01, penalties of weight 10, batch normalisation in all discriminators but that of
WGAN-GP. As there, all discriminators (and the VAE) see the same number of real images (--images), so that the generators of WGAN
and WGAN-GP make a fifth of the steps. Deviations: the study has InfoGAN's networks (13 million parameters) and 1,000,000 images;
Inception's features; latents from a cube; the images that our VAE sees are made black and white anew each time.

The Frechet distance is over the classifier of bench/fashion.py, --count generated images, quantised to uint8, against as many
of the test set; with --second over another extractor as well. Runs that are in --log are skipped, and those in --keep are
only evaluated again.
"""

import argparse
import json
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path

import torch

import fashion
from sparring.core import runtime
from sparring.data import DataConfig, open_data
from sparring.features import load as extractor
from sparring.inference import sampling
from sparring.metrics import frechet_distance
from sparring.runs.generator_file import GENERATOR_FILE, load
from sparring.runs.request import Request
from sparring.training.start import run_training

LATENT = 64
KEY = ("model", "seed", "images", "width", "rate")
WITHOUT = {"norm": "none"}
GANS = {  # rate, beta1, then fields of the game that differ from the recipe dcgan's
    "mm": (5e-5, 0.0, {"objective": {"type": "minimax"}}),
    "ns": (5e-5, 0.0, {}),
    "lsgan": (2e-4, 0.5, {"objective": {"type": "least_squares"}}),
    "wgan": (
        5e-5,
        0.5,
        {
            "objective": {"type": "wasserstein"},
            "constraints": [{"type": "weight_clip", "limit": 0.01}],
            "critic_steps": 5,
        },
    ),
    "wgan_gp": (
        1e-4,
        0.5,
        {
            "objective": {"type": "wasserstein"},
            "penalties": [{"type": "gradient_penalty", "weight": 10.0}],
            "critic_steps": 5,
            "discriminator": WITHOUT,
        },
    ),
    "dragan": (1e-4, 0.5, {"penalties": [{"type": "dragan", "weight": 10.0}]}),
}
PUBLISHED = {
    "mm": 29.6,
    "ns": 26.5,
    "lsgan": 30.7,
    "wgan": 21.5,
    "wgan_gp": 24.5,
    "dragan": 27.7,
    "vae": 58.7,
}


def document(model, width, rate):
    """Settings that are laid over those of the recipe."""
    if model == "vae":
        game = {
            "encoder": {"type": "dcgan", "width": width},
            "decoder": {"type": "dcgan", "width": width, "output": "linear"},
            "posterior": {"latent": LATENT},
            "beta": 1.0,
        }
        return {"game": game, "optimizers": {"autoencoder": {"lr": 5e-5 * rate, "beta1": 0.9}}}
    lr, beta1, rules = GANS[model]
    networks = {
        "generator": {"width": width, "latent": LATENT},
        "discriminator": {"width": width} | rules.get("discriminator", {}),
    }
    adam = {"type": "adam", "lr": lr * rate, "beta1": beta1}
    return {"game": rules | networks, "optimizers": {"generator": adam, "discriminator": adam}}


@cache
def reference(name, count):
    """An extractor and its features of `count` test images."""
    data = open_data(DataConfig(source=str(fashion.source()), size=(32, 32))) if name == "pca" else None
    found = extractor(name, runtime=runtime.start_runtime(device="cpu"), fitted_on=data)
    return found, found(fashion.load_images("t10k")[0][:count]).features


@cache
def classifier(count):
    net = fashion.classifier()
    return net, fashion.features(net, fashion.load_images("t10k")[0][:count])


def evaluate(path, seed, args):
    loaded = load(path)
    fake = sampling.sample_array(loaded.generation, loaded.metadata, args.count, seed=seed + 1)
    net, real = classifier(args.count)
    values = {"distance": round(frechet_distance(real, fashion.features(net, fake)), 2)}
    for name in args.second:
        found, real = reference(name, args.second_count)
        values[name] = round(frechet_distance(real, found(fake[: args.second_count]).features), 2)
    return values


def run(what, args):
    request = Request(
        data=str(fashion.source()),
        recipe="vae" if what["model"] == "vae" else "dcgan",
        images=what["images"],
        seed=what["seed"],
        batch=64,
        size=(32, 32),
        document=document(what["model"], what["width"], what["rate"]) | {"training": {"ema_half_life": 0.0}},
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.keep or temporary) / "-".join(str(part) for part in what.values())
        begin = time.process_time()
        ended = run_training(request, folder, lambda images: runtime.start_runtime(threads=1, images=images))
        if ended.exit_code:
            raise SystemExit(ended.exit_code)  # stopped by a signal: not evaluated
        spent = round(time.process_time() - begin)
        return {"cpu_seconds": spent} | evaluate(folder / GENERATOR_FILE, what["seed"], args)


def show(rows):
    """Mean and spread (standard deviation over seeds) of each model, and its ratio to the best GAN."""
    merged = {}
    for row in rows:  # a run that was evaluated twice has two lines
        merged.setdefault(tuple(row[name] for name in KEY), {}).update(row)
    rows = list(merged.values())
    for setting in sorted({(row["images"], row["width"], row["rate"]) for row in rows}):
        here = [row for row in rows if (row["images"], row["width"], row["rate"]) == setting]
        print("images {:,}, width {}, rate x{}".format(*setting))
        for name in [
            name for name in ("distance", "pca", "efficientnet_lite0") if any(name in row for row in here)
        ]:
            found = {
                model: [row[name] for row in here if row["model"] == model and name in row]
                for model in PUBLISHED
            }
            found = {model: values for model, values in found.items() if values}
            best = min(statistics.mean(values) for model, values in found.items() if model != "vae")
            for model, values in sorted(found.items(), key=lambda item: statistics.mean(item[1])):
                mean, spread = statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
                print(
                    f"  {name:20} {model:8} {mean:8.2f} +- {spread:6.2f}  x{mean / best:.2f}  n={len(values)}"
                )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(PUBLISHED), choices=list(PUBLISHED))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=51_200)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--second", nargs="*", default=[], help="further extractors")
    parser.add_argument("--second-count", type=int, default=2_500)
    parser.add_argument("--keep", type=Path, default=None, help="folder in which runs stay")
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    lines = args.log.read_text().splitlines() if args.log and args.log.exists() else []
    rows = [json.loads(line) for line in lines]
    if args.show:
        return show(rows)
    for seed in args.seeds:
        for model in args.models:
            what = dict(zip(KEY, (model, seed, args.images, args.width, args.rate), strict=True))
            if any(what.items() <= row.items() and all(name in row for name in args.second) for row in rows):
                continue
            line = json.dumps(what | run(what, args))
            print(line, flush=True)
            if args.log:
                with open(args.log, "a") as log:
                    log.write(line + "\n")
    return None


if __name__ == "__main__":
    main()
