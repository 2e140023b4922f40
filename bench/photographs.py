"""The papers' own data sets: pix2pix's maps, and CycleGAN's Monet and photographs.

    python bench/photographs.py [--sets maps monet2photo] [--images 40000] [--minutes M] [--size 64] [--width 32] [--threads 2]

maps: `pix2pix` from photograph to map, `pix2pix-back` from map to photograph, and `cyclegan` without the pairs, both ways; 550
pairs to learn from, 110 to evaluate on, with the two baselines and the scores of drawings.py.
monet2photo: `cyclegan`, both ways, 270 paintings and 1,900 photographs. There are no partners: 1,000 times the kernel distance to
the real set of the other side (all 300 paintings; the 300 test photographs), against that of the untouched input, and the PSNR of
going there and back.

The sets lie in shared/data (see its README): research use, rights with others. The sheets that this writes are not for publication.
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
from translation_data import SHARED, source

ROWS = {"maps": ("pix2pix", "pix2pix-back", "cyclegan"), "monet2photo": ("cyclegan",)}
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cycle", "cpu_seconds")
Ends = dict[
    str, tuple[np.ndarray, np.ndarray, Scores]
]  # by way ("" or "back"): inputs, real images of the other domain, scorer


def ends_of(name: str, size: int, threads: int) -> Ends:
    """Test inputs of each direction, the real images of the other domain, and their scorer."""
    paired = name == "maps"
    a, b = test_images(source(name), size, pairing="paired" if paired else "unpaired")
    real_a = a if paired else np.concatenate([a, training_images(source(name), size, pairing="unpaired")[0]])
    return {"": (a, b, Scores(b, threads, paired)), "back": (b, real_a, Scores(real_a, threads, paired))}


def train_row(args: argparse.Namespace, name: str, row: str, seed: int, ends: Ends) -> dict[str, Any]:
    """Train a row and score each way that it goes."""
    recipe, _, back = row.partition("-")
    sides = "paired" if recipe == "pix2pix" else "unpaired"
    settings = [f"data.pairing={sides}", *(["data.swap_domains=true"] if back else [])]
    run = run_of(args, name, row, seed)
    data = source("maps-apart", args.size) if (name, sides) == ("maps", "unpaired") else source(name)
    model, cost = train_translator(args, run, data, recipe, seed=seed, size=args.size, settings=settings)
    ways = {"back" if back else "": "a-to-b"} | ({"back": "b-to-a"} if "b-to-a" in model.directions else {})
    found = {}
    for way, direction in ways.items():
        inputs, _, scorer = ends[way]
        fake = translate(model, inputs, direction)
        np.save(run / f"translated-{way}.npy", fake)
        both = {"cycle": cycle_psnr(model, inputs, direction)} if len(model.directions) > 1 else {}
        found[way] = scorer.score(fake) | both
    return {"ways": found, **cost}


def run_of(args: argparse.Namespace, name: str, row: str, seed: int) -> Path:
    return args.out / f"{name}-{args.size}-{row}-{seed}-{args.width}-{args.images}"


def one_set(args: argparse.Namespace, name: str, rows: Rows) -> None:
    """All rows of a set, its tables and sheets."""
    ends = ends_of(name, args.size, args.threads)
    lines: dict[str, list[dict[str, Any]]] = {way: [] for way in ends}
    columns = {way: {"input": inputs} for way, (inputs, _, _) in ends.items()}
    for way, (inputs, _, scorer) in ends.items():
        key = {"set": name, "size": args.size, "way": way}
        lines[way].append(
            rows.once(key | {"row": "identity"}, lambda inputs=inputs, scorer=scorer: scorer.score(inputs))
        )
        if name == "maps":
            pairs = training_images(source(name), args.size, pairing="paired")
            fake = fit_linear(*(pairs[::-1] if way else pairs), inputs)
            lines[way].append(
                rows.once(key | {"row": "linear"}, lambda fake=fake, scorer=scorer: scorer.score(fake))
            )
    for seed in args.seeds:
        for row in [row for row in args.rows or ROWS[name] if row in ROWS[name]]:
            key = {
                "set": name,
                "size": args.size,
                "row": row,
                "seed": seed,
                "images": args.images,
                "width": args.width,
            }
            key |= {"minutes": args.minutes, "with": args.set}
            fake = rows.once(key, lambda row=row, seed=seed: train_row(args, name, row, seed, ends))
            for way, scores in fake["ways"].items():
                lines[way].append(
                    {"row": row.removesuffix("-back"), "cpu_seconds": fake["cpu_seconds"], **scores}
                )
                path = run_of(args, name, row, seed) / f"translated-{way}.npy"
                if path.exists():
                    columns[way][f"{row} {seed}"] = np.load(path)
    for way, (_, truth, _) in ends.items():
        print(f"\n{name}, {args.size}x{args.size}, {'B to A' if way else 'A to B'}")
        print_table(lines[way], "row", MEASURES)
        last = {"truth": truth} if name == "maps" else {}
        write_sheet(args.out / f"{name}-{args.size}{way and '-back'}.png", columns[way] | last, rows=12)


def main() -> None:
    parser = make_parser(__doc__, "runs/photographs", 40_000)
    parser.add_argument("--sets", nargs="+", default=list(SHARED))
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = Rows(args.out / "rows.jsonl")
    for name in args.sets:
        one_set(args, name, rows)


if __name__ == "__main__":
    main()
