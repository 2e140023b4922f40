"""Real pairs: outlines to colour (OpenMoji) and shaded relief to satellite (the Earth), on a test part that was never seen.

    python bench/drawings.py [--sets openmoji earth] [--images 60000] [--minutes M] [--size 64] [--seeds 0] [--threads 2]

Rows of each set: `identity` (the input itself), `linear` (the best affine map of a pixel's values, from training pairs), `l1` (the
recipe pix2pix without its judge) and `pix2pix`. PSNR in dB, SSIM, distance of EfficientNet-Lite0's features of a pair (0 to 4), and
1,000 times the kernel distance of the two sets of images. The judge buys likeness of the whole (perceptual, kd) with PSNR: what
has more than one answer can't be sharp and near the mean at once.

A sheet `input | l1 | pix2pix | truth` of each set lies beside the rows. Sets are made on first use, see picture_data.py.
"""

import argparse
from typing import Any

import numpy as np
import torch

from picture_data import source
from translating import (
    Rows,
    Scores,
    held,
    in_channels,
    linear,
    options,
    sheet,
    table,
    trained,
    training,
    translated,
)

RECIPES = {"l1": ["game.adversarial=0"], "pix2pix": []}
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cpu_seconds")


def one_set(asked: argparse.Namespace, name: str, rows: Rows) -> list[dict[str, Any]]:
    """All rows of a set."""
    data, size = source(name, asked.size), asked.size
    given, truth = held(data, size, pairing="paired")
    judge, shown = Scores(truth, asked.threads), {"input": given}
    baselines = {
        "identity": lambda: in_channels(given, truth.shape[3]),
        "linear": lambda: linear(*training(data, size, pairing="paired"), given),
    }
    chosen = asked.rows or [*baselines, *RECIPES]
    found = []
    for row in [row for row in chosen if row in baselines]:
        made = baselines[row]
        found.append(rows.once({"set": name, "row": row, "size": size}, lambda made=made: judge.of(made())))
    for seed in asked.seeds:
        for row in [row for row in chosen if row in RECIPES]:
            run = asked.out / f"{name}-{size}-{row}-{seed}-{asked.width}-{asked.images}"
            settings = ["data.pairing=paired", *RECIPES[row]]

            def measure(
                run: Any = run, settings: Any = settings, seed: int = seed, row: str = row
            ) -> dict[str, Any]:
                kept, cost = trained(asked, run, data, "pix2pix", seed=seed, size=size, settings=settings)
                made = translated(kept, given)
                np.save(run / "made.npy", made)
                return judge.of(made) | cost

            key = {
                "set": name,
                "row": row,
                "size": size,
                "seed": seed,
                "images": asked.images,
                "width": asked.width,
            }
            found.append(rows.once(key | {"minutes": asked.minutes, "with": asked.set}, measure))
            if (run / "made.npy").exists():
                shown[f"{row} {seed}"] = np.load(run / "made.npy")
    sheet(asked.out / f"{name}-{size}.png", shown | {"truth": truth}, rows=16)
    return found


def main() -> None:
    parser = options(__doc__, "runs/drawings", 60_000)
    parser.add_argument("--sets", nargs="+", default=["openmoji", "earth"])
    parser.add_argument("--size", type=int, default=64)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    rows = Rows(asked.out / "rows.jsonl")
    found = {name: one_set(asked, name, rows) for name in asked.sets}
    for name, lines in found.items():
        print(f"\n{name}, {asked.size}x{asked.size}")
        table(lines, "row", MEASURES)


if __name__ == "__main__":
    main()
