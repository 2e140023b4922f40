"""How well codes tell classes apart: nearest neighbours among a few labelled codes, as in Table 2 of Davidson et al. 2018
(arXiv:1804.00891).

    python bench/latent.py --d 2 5 10 --epochs 50 --keep runs/
    python bench/codes.py --runs runs/ --d 2 5 10

Codes are the means of q(z|x) of grey images, as `Run.encode` returns them. Of the training images --labels have a label, as many
of each class; the 10,000 test images get the class that most of their 5 nearest labelled codes have (of equally many the nearer
ones), by Euclidean distance for the normal posterior and by the cosine on the sphere. Mean and standard deviation of the accuracy
in per cent over 20 random choices of the labelled ones. d is that of S^d, in R^(d+1). One line of JSON a run; runs that are not
there are left out.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import mnist
from sparring.api import load
from sparring.data import DataConfig, open_data
from sparring.runs.generator_file import GENERATOR_FILE

CLASSES = 10


def codes(run, split):
    """Codes (n, code) and labels (n,)."""
    data = open_data(DataConfig(source=str(mnist.source(split)), size=(28, 28)))
    return torch.from_numpy(run.encode(np.asarray(data.samples))), torch.from_numpy(data.labels)


def chosen(labels, count, seed):
    """Rows of `count` labelled samples, as many of each class."""
    draw = np.random.default_rng((seed, count))
    rows = [draw.permutation(np.flatnonzero(labels == each))[: count // CLASSES] for each in range(CLASSES)]
    return torch.from_numpy(np.concatenate(rows))


def accuracy(known, labels, queries, truth, k, cosine):
    """Share of `queries` (n, d) whose class is found among `known` (m, d)."""
    if cosine:
        far = 1 - F.normalize(queries, dim=1) @ F.normalize(known, dim=1).T
    else:
        far = torch.cdist(queries, known)
    nearest = far.topk(k, largest=False)
    votes = torch.zeros(len(queries), CLASSES)
    closer = 1 - 1e-3 * torch.arange(k) / k  # breaks ties
    votes.scatter_add_(1, labels[nearest.indices], closer.expand(len(queries), k).contiguous())
    return float((votes.argmax(1) == truth).float().mean())


def evaluate(folder, posterior, args):
    run = load(folder)
    (known, labels), (test, truth) = codes(run, "train"), codes(run, "t10k")
    found = {}
    for count in args.labels:
        shares = []
        for seed in range(args.repeats):
            rows = chosen(labels.numpy(), count, seed)
            cosine = posterior != "normal"
            shares.append(100 * accuracy(known[rows], labels[rows], test, truth, args.k, cosine))
        found[str(count)] = [round(float(np.mean(shares)), 1), round(float(np.std(shares, ddof=1)), 1)]
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--posterior", nargs="+", default=["normal", "von_mises_fisher"])
    parser.add_argument("--d", nargs="+", type=int, default=[2, 5, 10])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--labels", nargs="+", type=int, default=[100, 600, 1_000])
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for seed in args.seeds:
        for d in args.d:
            for posterior in args.posterior:
                folder = args.runs / f"{posterior}-{d}-{seed}"
                if (folder / GENERATOR_FILE).exists():
                    found = evaluate(folder, posterior, args)
                    images = load(folder).generator.metadata["images"]
                    row = {"posterior": posterior, "d": d, "seed": seed, "images": images, "accuracy": found}
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
