"""Inversion of held-out images by a search in the latent space, from random starts and from an encoder's start.

    python bench/inversion.py RUN [--n 32] [--steps 100] [--fit 300]

The first n of Fashion-MNIST's 10,000 test images, at 32x32. PSNR (mean and standard deviation over the images), the Laplacian
pyramid's distance, and 1 - cosine of the features of a frozen classifier that the search does not use. CPU seconds of one thread.
"""

import argparse
import json
import time
from pathlib import Path

import torch

import fashion
from sparring import load
from sparring.data import DataConfig, open_data
from sparring.inference import latent
from sparring.inference.latent.image_distance import feature_distance


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", type=int, default=32)
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 25, 100])
    parser.add_argument("--starts", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--fit", type=int, default=300)
    args = parser.parse_args()
    torch.set_num_threads(1)
    generation = load(args.run).generator.generation
    data = open_data(DataConfig(source=str(fashion.source("t10k")), size=(fashion.SIDE, fashion.SIDE)))
    x, _ = data.batch(range(args.n))
    far = feature_distance(fashion.classifier().features)
    encoders, began = {"none": None}, time.process_time()
    if generation.encoder is not None:
        encoders["own"] = latent.model_encoder(generation)
    else:
        encoders["fitted"] = latent.fit_encoder(generation, steps=args.fit)
    print(json.dumps({"fit": args.fit, "cpu_seconds": round(time.process_time() - began, 1)}), flush=True)
    for steps in args.steps:
        for starts in args.starts if steps else [1]:
            for name, encoder in encoders.items():
                began = time.process_time()
                settings = latent.InversionOptions(steps=steps, starts=starts)
                found = latent.invert(generation, x, encoder=encoder, options=settings)
                spent = time.process_time() - began
                print(
                    json.dumps(
                        {
                            "encoder": name,
                            "steps": steps,
                            "starts": starts,
                            "n": args.n,
                            "psnr": round(float(found.psnr.mean()), 2),
                            "deviation": round(float(found.psnr.std()), 2),
                            "pyramid": round(float(found.perceptual.mean()), 3),
                            "features": round(float(far(found.x, x).mean()), 4),
                            "cpu_seconds_each": round(spent / args.n, 3),
                            "length": round(float(found.z.norm(dim=1).mean()) / generation.latent**0.5, 2),
                        }
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
