"""Real pairs: outlines to colour (OpenMoji) and shaded relief to satellite (the Earth), on a held-out test part.

    python bench/drawings.py [--sets openmoji earth] [--images 60000] [--minutes M] [--size 64] [--seeds 0] [--threads 2]

The rows of each set: `identity` (the input itself), `linear` (the best affine map of a pixel's values, from training pairs),
`l1` (the recipe pix2pix without its discriminator) and `pix2pix`. PSNR in dB, SSIM, distance of EfficientNet-Lite0's features
of a pair (0 to 4), and 1,000 times the kernel distance of the two sets of images. The discriminator improves the perceptual and
the kernel distance at the cost of PSNR: where several outputs are right, a sharp one is not near their mean.

A sheet `input | l1 | pix2pix | truth` of each set lies beside the rows. Sets are prepared on first use, see
translation_data.py.
"""

import argparse
from typing import Any

import numpy as np
import torch

from translating import (
    Rows,
    Scores,
    fit_linear,
    in_channels,
    make_parser,
    print_table,
    test_images,
    train_translator,
    training_images,
    translate,
    write_sheet,
)
from translation_data import source

RECIPES = {"l1": ["game.adversarial=0"], "pix2pix": []}
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cpu_seconds")


def one_set(args: argparse.Namespace, name: str, rows: Rows) -> list[dict[str, Any]]:
    """All rows of a set."""
    data, size = source(name, args.size), args.size
    inputs, truth = test_images(data, size, pairing="paired")
    scorer, columns = Scores(truth, args.threads), {"input": inputs}
    baselines = {
        "identity": lambda: in_channels(inputs, truth.shape[3]),
        "linear": lambda: fit_linear(*training_images(data, size, pairing="paired"), inputs),
    }
    chosen = args.rows or [*baselines, *RECIPES]
    found = []
    for row in [row for row in chosen if row in baselines]:
        fake = baselines[row]
        found.append(
            rows.once({"set": name, "row": row, "size": size}, lambda fake=fake: scorer.score(fake()))
        )
    for seed in args.seeds:
        for row in [row for row in chosen if row in RECIPES]:
            run = args.out / f"{name}-{size}-{row}-{seed}-{args.width}-{args.images}"
            settings = ["data.pairing=paired", *RECIPES[row]]

            def measure(
                run: Any = run, settings: Any = settings, seed: int = seed, row: str = row
            ) -> dict[str, Any]:
                model, cost = train_translator(
                    args, run, data, "pix2pix", seed=seed, size=size, settings=settings
                )
                fake = translate(model, inputs)
                np.save(run / "translated.npy", fake)
                return scorer.score(fake) | cost

            key = {
                "set": name,
                "row": row,
                "size": size,
                "seed": seed,
                "images": args.images,
                "width": args.width,
            }
            found.append(rows.once(key | {"minutes": args.minutes, "with": args.set}, measure))
            if (run / "translated.npy").exists():
                columns[f"{row} {seed}"] = np.load(run / "translated.npy")
    write_sheet(args.out / f"{name}-{size}.png", columns | {"truth": truth}, rows=16)
    return found


def main() -> None:
    parser = make_parser(__doc__, "runs/drawings", 60_000)
    parser.add_argument("--sets", nargs="+", default=["openmoji", "earth"])
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = Rows(args.out / "rows.jsonl")
    found = {name: one_set(args, name, rows) for name in args.sets}
    for name, lines in found.items():
        print(f"\n{name}, {args.size}x{args.size}")
        print_table(lines, "row", MEASURES)


if __name__ == "__main__":
    main()
