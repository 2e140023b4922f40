"""Shared by the benches of image-to-image translation: a log of finished rows, training, test images, scores, sheets."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

import sparring
from sparring import features, metrics
from sparring.core import runtime
from sparring.core.errors import SparringError
from sparring.data import DataConfig, open_data
from sparring.models.translator import TranslatorModel

BLOCK = 50


class Rows:
    """A file of JSON lines, each with a key; a row that is already there is not computed again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self.known = {row["key"]: row for row in map(json.loads, lines)}

    def once(self, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The row of this key; computed, printed and appended when it is new."""
        name = json.dumps(key, sort_keys=True)
        if name not in self.known:
            self.known[name] = {"key": name, **key, **make()}
            with open(self.path, "a") as file:
                file.write(json.dumps(self.known[name]) + "\n")
            print(json.dumps({k: v for k, v in self.known[name].items() if k != "key"}), flush=True)
        return self.known[name]


def make_parser(doc: str | None, out: str, images: int) -> argparse.ArgumentParser:
    """The options that all of these benches have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(out), help="runs, rows.jsonl and sheets go there")
    parser.add_argument("--images", type=int, default=images, help="images a run is trained on")
    parser.add_argument("--minutes", type=float, help="at most so many minutes a run")
    parser.add_argument("--width", type=int, default=32, help="channels of the networks' first stages")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", nargs="+", help="only these")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="path=value", help="settings of every run; with another --out"
    )
    return parser


def train_translator(
    args: argparse.Namespace, out: Path, data: Path, recipe: str, **choices: Any
) -> tuple[TranslatorModel, dict[str, Any]]:
    """A translator, trained or resumed, and its cost.

    Arguments:
        choices: `seed`, `size` and `settings`, as of `sparring.train`.
    """
    unet = [f"game.translator.max_width={8 * args.width}"] if recipe == "pix2pix" else []
    widths = [f"game.{name}.width={args.width}" for name in ("translator", "discriminator")]
    settings = [
        *widths,
        *unet,
        f"game.discriminator.max_width={8 * args.width}",
        *choices.pop("settings", ()),
        *args.set,
    ]
    began, spent = time.perf_counter(), time.process_time()
    run = sparring.train(
        data,
        recipe=recipe,
        out=out,
        images=args.images,
        until=f"{args.minutes}m" if args.minutes else None,
        settings=settings,
        threads=args.threads,
        device=args.device,
        **choices,
    )
    model = run.generator.translation
    cost = {"cpu_seconds": round(time.process_time() - spent), "seconds": round(time.perf_counter() - began)}
    return model.eval(), cost


def translate(model: TranslatorModel, images: np.ndarray, direction: str = "a-to-b") -> np.ndarray:
    """Images uint8 (n, h, w, c) of the other domain."""
    channels = model.ends(direction)[0][0]
    place = next(model.parameters()).device
    fake = []
    with torch.no_grad():
        for at in range(0, len(images), BLOCK):
            x = torch.tensor(in_channels(images[at : at + BLOCK], channels)).permute(0, 3, 1, 2)
            y = model.translate(x.to(place).float() / 127.5 - 1, direction)
            fake.append(
                ((y + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
            )
    return np.concatenate(fake)


def cycle_psnr(model: TranslatorModel, images: np.ndarray, direction: str = "a-to-b") -> float:
    """PSNR in dB of images that went there and came back, with 8-bit images in between."""
    back = "b-to-a" if direction == "a-to-b" else "a-to-b"
    returned = translate(model, translate(model, images, direction), back)
    return round(metrics.psnr(images, returned).clamp(max=60).mean().item(), 4)


def in_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Images with this number of channels: grey repeated, or colours averaged."""
    if images.shape[3] == channels:
        return images
    return images.repeat(3, 3) if channels == 3 else images.mean(3, keepdims=True).round().astype(np.uint8)


def test_images(data: Path, size: int, **choices: Any) -> tuple[np.ndarray, np.ndarray]:
    """The test images of A and of B, uint8 (n, h, w, c), as `open_data` reads them."""
    dataset = open_data(DataConfig(source=str(data), size=(size, size), **choices))
    assert dataset.test_set is not None, f"{data} has no test part"
    assert dataset.test_set.domain_b is not None
    return np.array(dataset.test_set.samples), np.array(dataset.test_set.domain_b.samples)


def training_images(data: Path, size: int, **choices: Any) -> tuple[np.ndarray, np.ndarray]:
    """The training images of A and of B."""
    dataset = open_data(DataConfig(source=str(data), size=(size, size), **choices))
    assert dataset.domain_b is not None
    return np.array(dataset.samples), np.array(dataset.domain_b.samples)


def fit_linear(a: np.ndarray, b: np.ndarray, inputs_a: np.ndarray) -> np.ndarray:
    """The best affine map of a pixel's values, least squares on training pairs, applied to `inputs_a`: uint8 (n, h, w, c)."""

    def inputs(images: np.ndarray) -> np.ndarray:
        flat = images.reshape(-1, images.shape[3]).astype(np.float64)
        return np.concatenate([flat, np.ones((len(flat), 1))], 1)

    rows = slice(None, None, max(1, len(a) // 500))
    weights = np.linalg.lstsq(
        inputs(a[rows]), b[rows].reshape(-1, b.shape[3]).astype(np.float64), rcond=None
    )[0]
    return (
        (inputs(inputs_a) @ weights)
        .round()
        .clip(0, 255)
        .astype(np.uint8)
        .reshape(*inputs_a.shape[:3], b.shape[3])
    )


class Scores:
    """Scores of images against their true partners, by pixels and by EfficientNet-Lite0's features."""

    def __init__(self, truth: np.ndarray, threads: int = 1, paired: bool = True) -> None:
        started = runtime.start_runtime(threads=threads)
        self.truth, self.paired = truth, paired
        try:
            self.net = features.load("efficientnet_lite0", runtime=started)
        except SparringError as error:
            print(f"no perceptual distance and no kernel distance: {error.got}", file=sys.stderr)
            self.net = None
        self.real = self._features(truth)

    def _features(self, images: np.ndarray) -> torch.Tensor | None:
        if self.net is None:
            return None
        return torch.as_tensor(self.net(in_channels(images, 3)).features).double()

    def score(self, fake: np.ndarray) -> dict[str, float]:
        """PSNR in dB, SSIM, distance of features (squared, 0 to 4) of the pairs; 1,000 times the kernel distance of the sets."""
        found = {}
        if self.paired:
            found = {
                "psnr": metrics.psnr(self.truth, fake).clamp(max=60).mean().item(),
                "ssim": metrics.ssim(self.truth, fake).mean().item(),
            }
            found["l1"] = metrics.l1(self.truth, fake).mean().item()
        fake_features = self._features(fake)
        if self.real is not None and fake_features is not None:
            if self.paired:
                found["perceptual"] = metrics.feature_distance(self.real, fake_features).mean().item()
            size = min(len(self.real), len(fake_features)) * 9 // 10
            found["kd"] = 1000 * metrics.kernel_distance(self.real, fake_features, subsets=50, size=size)[0]
        return {name: round(value, 4) for name, value in found.items()}


def print_table(rows: Sequence[dict[str, Any]], name: str, values: Sequence[str]) -> None:
    """Means over the seeds and, where there are several, their standard deviation."""
    print(f"\n{name:<16}" + "".join(f"{value:>18}" for value in values))
    for which in dict.fromkeys(row[name] for row in rows):
        cells = []
        for value in values:
            found = [row[value] for row in rows if row[name] == which and value in row]
            spread = f" +-{np.std(found, ddof=1):.3f}" if len(found) > 1 else ""
            cells.append(f"{np.mean(found):.3f}{spread}" if found else "")
        print(f"{which:<16}" + "".join(f"{cell:>18}" for cell in cells))


def write_sheet(path: Path, columns: dict[str, np.ndarray], rows: int = 12, scale: int = 2) -> None:
    """A sheet of images: a column of each name, and rows spread over the set."""
    count = min(len(images) for images in columns.values())
    chosen = np.linspace(0, count - 1, min(rows, count)).astype(int)
    body = np.concatenate(
        [
            np.concatenate([in_channels(images[chosen], 3)[i] for i in range(len(chosen))])
            for images in columns.values()
        ],
        1,
    )
    page = Image.fromarray(body)
    page = page.resize((page.width * scale, page.height * scale), Image.Resampling.NEAREST)
    titled = Image.new("RGB", (page.width, page.height + 16), "white")
    titled.paste(page, (0, 16))
    step = page.width // len(columns)
    for number, name in enumerate(columns):
        ImageDraw.Draw(titled).text((number * step + 3, 2), name, "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    titled.save(path)
