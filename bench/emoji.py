"""Unpaired images whose true partners are kept back: Twitter's emoji to Fluent's and back.

    python bench/emoji.py [--images 60000] [--minutes M] [--rows cyclegan cut pix2pix] [--seeds 0] [--threads 2]

The recipes cyclegan and cut learn from 697 Twitter and 696 Fluent emoji of other code points: no image has its partner there.
pix2pix learns from the true pairs of both (1,393), which is what they are up against. All are scored on 207 test pairs that nobody
saw. `identity` is the input itself; `linear` the best affine map of a pixel's values, from the true pairs.

Scores as in drawings.py, both ways for cyclegan and pix2pix (`-back`: Fluent to Twitter). Expected: identity < cyclegan < pix2pix.
The drawings differ in shape, so PSNR and SSIM say less here than the distance of features and the kernel distance do.
A sheet `input | made ... | truth` of each way lies beside the rows.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from picture_data import source
from translating import (
    Rows,
    Scores,
    cycled,
    held,
    linear,
    options,
    sheet,
    table,
    trained,
    training,
    translated,
)

SIZE = 64
RECIPES = ("cyclegan", "cut", "pix2pix", "pix2pix-back")
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cycle", "cpu_seconds")


def learned(
    asked: argparse.Namespace, row: str, seed: int, run: Path, ends: dict[str, Any]
) -> dict[str, Any]:
    """Train a row and score each way that it goes; the numbers of the way back end in `-back`."""
    recipe, _, back = row.partition("-")
    pairs = recipe == "pix2pix"
    settings = [
        f"data.pairing={'paired' if pairs else 'unpaired'}",
        *(["data.swap_domains=true"] if back else []),
    ]
    data = source("emoji-pairs" if pairs else "emoji", SIZE)
    kept, cost = trained(asked, run, data, recipe, seed=seed, size=SIZE, settings=settings)
    ways = {"back" if back else "": "a-to-b"} | ({"back": "b-to-a"} if "b-to-a" in kept.directions else {})
    found: dict[str, Any] = {}
    for way, direction in ways.items():
        given, _, judge = ends[way]
        made = translated(kept, given, direction)
        np.save(run / f"made-{way}.npy", made)
        scores = judge.of(made)
        if len(kept.directions) > 1:
            scores["cycle"] = cycled(kept, given, direction)
        found[way] = scores
    return {"ways": found, **cost}


def main() -> None:
    asked = options(__doc__, "runs/emoji", 60_000).parse_args()
    torch.set_num_threads(asked.threads)
    rows, data = Rows(asked.out / "rows.jsonl"), source("emoji-pairs", SIZE)
    a, b = held(data, SIZE, pairing="paired")
    ends = {"": (a, b, Scores(b, asked.threads)), "back": (b, a, Scores(a, asked.threads))}
    known = training(data, SIZE, pairing="paired")
    lines: dict[str, list[dict[str, Any]]] = {way: [] for way in ends}
    shown = {way: {"input": given} for way, (given, _, _) in ends.items()}
    for way, (given, _, judge) in ends.items():
        pairs = known if not way else known[::-1]
        baselines = {"identity": given, "linear": linear(*pairs, given)}
        for name, made in baselines.items():
            lines[way].append(
                rows.once({"row": name, "way": way}, lambda made=made, judge=judge: judge.of(made))
            )
    for seed in asked.seeds:
        for row in asked.rows or RECIPES:
            run = asked.out / f"{row}-{seed}-{asked.width}-{asked.images}"
            key = {
                "row": row,
                "seed": seed,
                "images": asked.images,
                "width": asked.width,
                "minutes": asked.minutes,
            }
            made = rows.once(
                key | {"with": asked.set},
                lambda row=row, seed=seed, run=run: learned(asked, row, seed, run, ends),
            )
            for way, scores in made["ways"].items():
                lines[way].append(
                    {"row": row.removesuffix("-back"), "cpu_seconds": made["cpu_seconds"], **scores}
                )
                if (run / f"made-{way}.npy").exists():
                    shown[way][f"{row} {seed}"] = np.load(run / f"made-{way}.npy")
    for way, (_, truth, _) in ends.items():
        print("\nFluent to Twitter" if way else "\nTwitter to Fluent")
        table(lines[way], "row", MEASURES)
        sheet(asked.out / f"emoji{way and '-back'}.png", shown[way] | {"truth": truth}, rows=16)


if __name__ == "__main__":
    main()
