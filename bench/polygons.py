"""Table 1 of pix2pix in a world whose truth is known: maps of random polygons and their scenes (sparring/data/synthetic).

    python bench/polygons.py [--images 40000] [--seeds 0 1 2] [--rows l1 cgan patch-16 ...] [--minutes M] [--threads 2]

A segmentation net is trained once on real scenes and maps of its own (two minutes; cached). It then reads the
scenes that each translator draws from 500 maps held out: per-pixel accuracy, mean accuracy of a class and mean IoU, as the
paper's FCN scores. Rows, all of the recipe pix2pix:

    gan, l1, cgan, l1+gan, l1+cgan      maps -> scenes (table 1); the patch is 16, a quarter of a side, as 70 of 256
    patch-1 -7 -16 -34 -70 -0           the same, L1+cGAN, by patch; 0 is the whole; 16 is l1+cgan
    back-l1, back-cgan, back-l1+cgan    scenes -> maps, read by the code of colours
    real                                the true scenes of the test maps

Expected from the paper: gan < l1 < cgan < l1+gan <= l1+cgan < real; patches of 16 or 34 above 1 and 0; l1 best in going back.
Rows that are already in rows.jsonl are skipped; a run that was killed is resumed. Sheets of images lie beside the rows.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sparring.data.synthetic import (
    TEXTURE_NAMES,
    decode_colours,
    encode_colours,
    generate_scenes,
    write_pairs,
)
from translating import Rows, make_parser, print_table, train_translator, translate, write_sheet
from translation_data import CACHE

TRAIN, TEST, SIDE = 4_000, 500, 64
SETTINGS: dict[str, list[str]] = {
    "gan": ["game.reconstruction=0", "game.conditional=false"],
    "l1": ["game.adversarial=0"],
    "cgan": ["game.reconstruction=0"],
    "l1+gan": ["game.conditional=false"],
    "l1+cgan": [],
}
PATCHES = (1, 7, 16, 34, 70, 0)
MEASURES = ("pixel", "class", "iou")


class Segmenter(nn.Module):
    """A small U-Net from scenes to classes, of three grids."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        w = width
        self.down = nn.ModuleList([_double(3, w), _double(w, 2 * w), _double(2 * w, 4 * w)])
        self.up = nn.ModuleList([_double(6 * w, 2 * w), _double(3 * w, w)])
        self.last = nn.Conv2d(w, len(TEXTURE_NAMES), 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for number, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if number else x)
            skips.append(x)
        for block, beside in zip(self.up, skips[-2::-1], strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2), beside], 1))
        return self.last(x)


def _double(inputs: int, outputs: int) -> nn.Sequential:
    parts = [(inputs, outputs), (outputs, outputs)]
    return nn.Sequential(
        *(
            layer
            for i, o in parts
            for layer in (nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        )
    )


def segmenter(count: int, epochs: int = 3) -> Segmenter:
    """The frozen segmentation network, trained once on scenes of another seed than the translators' training data."""
    path = CACHE / f"polygons-segmenter-{count}.safetensors"
    net = Segmenter()
    if not path.exists():
        torch.manual_seed(0)
        maps, scenes = generate_scenes(count, (SIDE, SIDE), seed=1)
        optimizer = torch.optim.Adam(net.parameters(), 2e-3)
        steps = epochs * (count // 16)
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
        for _ in range(epochs):
            for rows in torch.randperm(count)[: count // 16 * 16].split(16):
                loss = F.cross_entropy(net(_tensor(scenes[rows])), torch.from_numpy(maps[rows]).long())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rate.step()
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(net.state_dict(), path)
    net.load_state_dict(load_file(path))
    print(f"segmenter {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}")
    return net.eval()


def _tensor(scenes: np.ndarray) -> Tensor:
    return torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def read_scenes(net: Segmenter, scenes: np.ndarray) -> np.ndarray:
    """The predicted classes (n, h, w)."""
    return np.concatenate(
        [net(_tensor(scenes[at : at + 50])).argmax(1).numpy() for at in range(0, len(scenes), 50)]
    )


def scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Per-pixel accuracy, mean accuracy of a class, mean intersection over union (Long et al. 2015, section 5)."""
    count = len(TEXTURE_NAMES)
    confusion = np.bincount(
        truth.ravel().astype(np.int64) * count + predicted.ravel(), minlength=count**2
    ).reshape(count, count)
    right, of_truth, of_predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    found = (
        right.sum() / confusion.sum(),
        (right / of_truth).mean(),
        (right / (of_truth + of_predicted - right)).mean(),
    )
    return {name: round(float(value), 4) for name, value in zip(MEASURES, found, strict=True)}


def world() -> Path:
    """The folder of pairs, written once."""
    folder = CACHE / f"polygons-{SIDE}"
    if not folder.exists():
        part = CACHE / f"polygons-{SIDE}.part"
        write_pairs(part, {"train": TRAIN, "test": TEST}, (SIDE, SIDE), layout="beside")
        part.rename(folder)
    return folder


def thin(width: int) -> list[str]:
    """Textures are small: nothing needs more than four times the first stage's channels."""
    return [f"game.{name}.max_width={4 * width}" for name in ("translator", "discriminator")]


def settings_of(row: str, patch: int) -> list[str]:
    """The settings of the row of this name."""
    if row.startswith("patch-"):
        return [f"game.discriminator.patch_size={row.removeprefix('patch-')}"]
    swapped = ["data.swap_domains=true"] if row.startswith("back-") else []
    patch_setting = [f"game.discriminator.patch_size={patch}"]
    return [*swapped, *patch_setting, *SETTINGS[row.removeprefix("back-")]]


def measure(
    args: Any, row: str, seed: int, net: Segmenter, test: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    maps, scenes = test
    back = row.startswith("back-")
    model, cost = train_translator(
        args,
        args.out / f"{row}-{seed}-{args.width}-{args.images}",
        world(),
        "pix2pix",
        seed=seed,
        settings=[*thin(args.width), "data.random_crop=0", *settings_of(row, args.patch)],
    )
    fake = translate(model, scenes if back else encode_colours(maps))
    predicted = decode_colours(fake) if back else read_scenes(net, fake)
    columns = {
        "map": encode_colours(maps),
        "scene": scenes,
        "translated": fake,
        "read": encode_colours(predicted),
    }
    write_sheet(args.out / "sheets" / f"{row}-{seed}.png", columns, rows=8)
    return scores(maps, predicted) | cost


def main() -> None:
    parser = make_parser(__doc__, "runs/polygons", 40_000)
    parser.set_defaults(width=16)
    parser.add_argument("--patch", type=int, default=16, help="of the rows that don't name one")
    parser.add_argument(
        "--scenes", type=int, default=3_000, help="scenes that the segmentation net learns from"
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows, net = Rows(args.out / "rows.jsonl"), segmenter(args.scenes)
    test = generate_scenes(TEST, (SIDE, SIDE), first=TRAIN)
    everything = [
        *SETTINGS,
        *(f"patch-{patch}" for patch in PATCHES if patch != args.patch),
        "back-l1",
        "back-cgan",
        "back-l1+cgan",
    ]
    found = [
        rows.once({"row": "real", "scenes": args.scenes}, lambda: scores(test[0], read_scenes(net, test[1])))
    ]
    for seed in args.seeds:
        for row in args.rows or everything:
            key = {
                "row": row,
                "scenes": args.scenes,
                "seed": seed,
                "images": args.images,
                "width": args.width,
                "patch": args.patch,
                "set": args.set,
            }
            found.append(rows.once(key, lambda row=row, seed=seed: measure(args, row, seed, net, test)))
    print_table(found, "row", MEASURES)


if __name__ == "__main__":
    main()
