"""The papers' own sets, as far as this machine goes: pix2pix's maps, and CycleGAN's Monet and photographs.

    python bench/photographs.py [--sets maps monet2photo] [--images 40000] [--minutes M] [--size 64] [--width 32] [--threads 2]

maps: `pix2pix` from photograph to map, `pix2pix-back` from map to photograph, and `cyclegan` without the pairs, both ways; 550
pairs to learn from, 110 to judge by, with the two baselines and the scores of drawings.py.
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

from picture_data import SHARED, source
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

ROWS = {"maps": ("pix2pix", "pix2pix-back", "cyclegan"), "monet2photo": ("cyclegan",)}
MEASURES = ("psnr", "ssim", "l1", "perceptual", "kd", "cycle", "cpu_seconds")
Ends = dict[
    str, tuple[np.ndarray, np.ndarray, Scores]
]  # by way ("" or "back"): inputs, real images of the other side, judge


def ends_of(name: str, size: int, threads: int) -> Ends:
    """Test inputs of each way and what they are judged by."""
    paired = name == "maps"
    a, b = held(source(name), size, pairing="paired" if paired else "unpaired")
    real_a = a if paired else np.concatenate([a, training(source(name), size, pairing="unpaired")[0]])
    return {"": (a, b, Scores(b, threads, paired)), "back": (b, real_a, Scores(real_a, threads, paired))}


def learned(asked: argparse.Namespace, name: str, row: str, seed: int, ends: Ends) -> dict[str, Any]:
    """Train a row and score each way that it goes."""
    recipe, _, back = row.partition("-")
    sides = "paired" if recipe == "pix2pix" else "unpaired"
    settings = [f"data.pairing={sides}", *(["data.swap_domains=true"] if back else [])]
    run = run_of(asked, name, row, seed)
    data = source("maps-apart", asked.size) if (name, sides) == ("maps", "unpaired") else source(name)
    kept, cost = trained(asked, run, data, recipe, seed=seed, size=asked.size, settings=settings)
    ways = {"back" if back else "": "a-to-b"} | ({"back": "b-to-a"} if "b-to-a" in kept.directions else {})
    found = {}
    for way, direction in ways.items():
        given, _, judge = ends[way]
        made = translated(kept, given, direction)
        np.save(run / f"made-{way}.npy", made)
        both = {"cycle": cycled(kept, given, direction)} if len(kept.directions) > 1 else {}
        found[way] = judge.of(made) | both
    return {"ways": found, **cost}


def run_of(asked: argparse.Namespace, name: str, row: str, seed: int) -> Path:
    return asked.out / f"{name}-{asked.size}-{row}-{seed}-{asked.width}-{asked.images}"


def one_set(asked: argparse.Namespace, name: str, rows: Rows) -> None:
    """All rows of a set, its tables and sheets."""
    ends = ends_of(name, asked.size, asked.threads)
    lines: dict[str, list[dict[str, Any]]] = {way: [] for way in ends}
    shown = {way: {"input": given} for way, (given, _, _) in ends.items()}
    for way, (given, _, judge) in ends.items():
        key = {"set": name, "size": asked.size, "way": way}
        lines[way].append(
            rows.once(key | {"row": "identity"}, lambda given=given, judge=judge: judge.of(given))
        )
        if name == "maps":
            pairs = training(source(name), asked.size, pairing="paired")
            made = linear(*(pairs[::-1] if way else pairs), given)
            lines[way].append(
                rows.once(key | {"row": "linear"}, lambda made=made, judge=judge: judge.of(made))
            )
    for seed in asked.seeds:
        for row in [row for row in asked.rows or ROWS[name] if row in ROWS[name]]:
            key = {
                "set": name,
                "size": asked.size,
                "row": row,
                "seed": seed,
                "images": asked.images,
                "width": asked.width,
            }
            key |= {"minutes": asked.minutes, "with": asked.set}
            made = rows.once(key, lambda row=row, seed=seed: learned(asked, name, row, seed, ends))
            for way, scores in made["ways"].items():
                lines[way].append(
                    {"row": row.removesuffix("-back"), "cpu_seconds": made["cpu_seconds"], **scores}
                )
                path = run_of(asked, name, row, seed) / f"made-{way}.npy"
                if path.exists():
                    shown[way][f"{row} {seed}"] = np.load(path)
    for way, (_, truth, _) in ends.items():
        print(f"\n{name}, {asked.size}x{asked.size}, {'B to A' if way else 'A to B'}")
        table(lines[way], "row", MEASURES)
        last = {"truth": truth} if name == "maps" else {}
        sheet(asked.out / f"{name}-{asked.size}{way and '-back'}.png", shown[way] | last, rows=12)


def main() -> None:
    parser = options(__doc__, "runs/photographs", 40_000)
    parser.add_argument("--sets", nargs="+", default=list(SHARED))
    parser.add_argument("--size", type=int, default=64)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    rows = Rows(asked.out / "rows.jsonl")
    for name in asked.sets:
        one_set(asked, name, rows)


if __name__ == "__main__":
    main()
