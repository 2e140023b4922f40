"""Unpaired images whose true partners are held back: Twitter's emoji to Fluent's and back.

    python bench/emoji.py [--images 60000] [--minutes M] [--rows cyclegan cut pix2pix] [--seeds 0] [--threads 2]

The recipes cyclegan and cut learn from 697 Twitter and 696 Fluent emoji of other code points: no image has its partner there.
pix2pix learns from the true pairs of both (1,393), as the upper reference. All are scored on 207 held-out test pairs.
`identity` is the input itself; `linear` the best affine map of a pixel's values, from the true pairs.

Scores as in drawings.py, both ways for cyclegan and pix2pix (`-back`: Fluent to Twitter). Expected: identity < cyclegan <
pix2pix. The drawings differ in shape, so PSNR and SSIM say less here than the distance of features and the kernel distance do.
A sheet `input | translated ... | truth` of each way lies beside the rows.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from translating import (
    Rows,
    Scores,
    cycle_psnr,
    fit_linear,
    make_parser,
    print_table,
    test_images,
    train_translator,
    training_images,
    translate,
    write_sheet,
)
from translation_data import source

SIZE = 64
RECIPES = ("cyclegan", "cut", "pix2pix", "pix2pix-back")
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cycle", "cpu_seconds")


def train_row(
    args: argparse.Namespace, row: str, seed: int, run: Path, ends: dict[str, Any]
) -> dict[str, Any]:
    """Train a row and score each way that it goes; the numbers of the way back end in `-back`."""
    recipe, _, back = row.partition("-")
    pairs = recipe == "pix2pix"
    settings = [
        f"data.pairing={'paired' if pairs else 'unpaired'}",
        *(["data.swap_domains=true"] if back else []),
    ]
    data = source("emoji-pairs" if pairs else "emoji", SIZE)
    model, cost = train_translator(args, run, data, recipe, seed=seed, size=SIZE, settings=settings)
    ways = {"back" if back else "": "a-to-b"} | ({"back": "b-to-a"} if "b-to-a" in model.directions else {})
    found: dict[str, Any] = {}
    for way, direction in ways.items():
        inputs, _, scorer = ends[way]
        fake = translate(model, inputs, direction)
        np.save(run / f"translated-{way}.npy", fake)
        scores = scorer.score(fake)
        if len(model.directions) > 1:
            scores["cycle"] = cycle_psnr(model, inputs, direction)
        found[way] = scores
    return {"ways": found, **cost}


def main() -> None:
    args = make_parser(__doc__, "runs/emoji", 60_000).parse_args()
    torch.set_num_threads(args.threads)
    rows, data = Rows(args.out / "rows.jsonl"), source("emoji-pairs", SIZE)
    a, b = test_images(data, SIZE, pairing="paired")
    ends = {"": (a, b, Scores(b, args.threads)), "back": (b, a, Scores(a, args.threads))}
    known = training_images(data, SIZE, pairing="paired")
    lines: dict[str, list[dict[str, Any]]] = {way: [] for way in ends}
    columns = {way: {"input": inputs} for way, (inputs, _, _) in ends.items()}
    for way, (inputs, _, scorer) in ends.items():
        pairs = known if not way else known[::-1]
        baselines = {"identity": inputs, "linear": fit_linear(*pairs, inputs)}
        for name, fake in baselines.items():
            lines[way].append(
                rows.once({"row": name, "way": way}, lambda fake=fake, scorer=scorer: scorer.score(fake))
            )
    for seed in args.seeds:
        for row in args.rows or RECIPES:
            run = args.out / f"{row}-{seed}-{args.width}-{args.images}"
            key = {
                "row": row,
                "seed": seed,
                "images": args.images,
                "width": args.width,
                "minutes": args.minutes,
            }
            fake = rows.once(
                key | {"with": args.set},
                lambda row=row, seed=seed, run=run: train_row(args, row, seed, run, ends),
            )
            for way, scores in fake["ways"].items():
                lines[way].append(
                    {"row": row.removesuffix("-back"), "cpu_seconds": fake["cpu_seconds"], **scores}
                )
                if (run / f"translated-{way}.npy").exists():
                    columns[way][f"{row} {seed}"] = np.load(run / f"translated-{way}.npy")
    for way, (_, truth, _) in ends.items():
        print("\nFluent to Twitter" if way else "\nTwitter to Fluent")
        print_table(lines[way], "row", MEASURES)
        write_sheet(args.out / f"emoji{way and '-back'}.png", columns[way] | {"truth": truth}, rows=16)


if __name__ == "__main__":
    main()
