"""What the benches of image to image share: rows that are kept and not made twice, training, test images, scores, sheets."""

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
from sparring.data import DataConfig, open_data
from sparring.models.translator import TranslatorModel

BLOCK = 50


class Rows:
    """A file of JSON lines, each of which has a key; a row that is there is not made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self.known = {row["key"]: row for row in map(json.loads, lines)}

    def once(self, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The row of this key; printed and kept when it is new."""
        name = json.dumps(key, sort_keys=True)
        if name not in self.known:
            self.known[name] = {"key": name, **key, **make()}
            with open(self.path, "a") as file:
                file.write(json.dumps(self.known[name]) + "\n")
            print(json.dumps({k: v for k, v in self.known[name].items() if k != "key"}), flush=True)
        return self.known[name]


def options(doc: str | None, out: str, images: int) -> argparse.ArgumentParser:
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


def trained(
    asked: argparse.Namespace, out: Path, data: Path, recipe: str, **choices: Any
) -> tuple[TranslatorModel, dict[str, Any]]:
    """A translator, trained or gone on with, and what it cost.

    Arguments:
        choices: `seed`, `size` and `settings`, as of `sparring.train`.
    """
    unet = [f"game.translator.max_width={8 * asked.width}"] if recipe == "pix2pix" else []
    widths = [f"game.{name}.width={asked.width}" for name in ("translator", "discriminator")]
    settings = [
        *widths,
        *unet,
        f"game.discriminator.max_width={8 * asked.width}",
        *choices.pop("settings", ()),
        *asked.set,
    ]
    began, spent = time.perf_counter(), time.process_time()
    run = sparring.train(
        data,
        recipe=recipe,
        out=out,
        images=asked.images,
        until=f"{asked.minutes}m" if asked.minutes else None,
        settings=settings,
        threads=asked.threads,
        device=asked.device,
        **choices,
    )
    kept = run.generator.kept
    assert isinstance(kept, TranslatorModel)
    cost = {"cpu_seconds": round(time.process_time() - spent), "seconds": round(time.perf_counter() - began)}
    return kept.eval(), cost


def translated(kept: TranslatorModel, pictures: np.ndarray, direction: str = "a-to-b") -> np.ndarray:
    """Images uint8 (n, h, w, c) of the other domain."""
    channels = kept.ends(direction)[0][0]
    place = next(kept.parameters()).device
    made = []
    with torch.no_grad():
        for at in range(0, len(pictures), BLOCK):
            x = torch.tensor(in_channels(pictures[at : at + BLOCK], channels)).permute(0, 3, 1, 2)
            y = kept.translate(x.to(place).float() / 127.5 - 1, direction)
            made.append(
                ((y + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
            )
    return np.concatenate(made)


def cycled(kept: TranslatorModel, pictures: np.ndarray, direction: str = "a-to-b") -> float:
    """PSNR in dB of images that went there and came back, with whole shades in between."""
    back = "b-to-a" if direction == "a-to-b" else "a-to-b"
    returned = translated(kept, translated(kept, pictures, direction), back)
    return round(metrics.psnr(pictures, returned).clamp(max=60).mean().item(), 4)


def in_channels(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Grey repeated, colours averaged, or as they are."""
    if pictures.shape[3] == channels:
        return pictures
    return (
        pictures.repeat(3, 3) if channels == 3 else pictures.mean(3, keepdims=True).round().astype(np.uint8)
    )


def held(data: Path, size: int, **choices: Any) -> tuple[np.ndarray, np.ndarray]:
    """The test images of A and of B, uint8 (n, h, w, c), as the library opens them."""
    dataset = open_data(DataConfig(source=str(data), size=(size, size), **choices))
    assert dataset.test_set is not None, f"{data} has no test part"
    assert dataset.test_set.domain_b is not None
    return np.array(dataset.test_set.samples), np.array(dataset.test_set.domain_b.samples)


def training(data: Path, size: int, **choices: Any) -> tuple[np.ndarray, np.ndarray]:
    """The training images of A and of B."""
    dataset = open_data(DataConfig(source=str(data), size=(size, size), **choices))
    assert dataset.domain_b is not None
    return np.array(dataset.samples), np.array(dataset.domain_b.samples)


def linear(a: np.ndarray, b: np.ndarray, given: np.ndarray) -> np.ndarray:
    """The best affine map of a pixel's values, least squares on training pairs, of `given`: uint8 (n, h, w, c)."""

    def inputs(pictures: np.ndarray) -> np.ndarray:
        flat = pictures.reshape(-1, pictures.shape[3]).astype(np.float64)
        return np.concatenate([flat, np.ones((len(flat), 1))], 1)

    rows = slice(None, None, max(1, len(a) // 500))
    weights = np.linalg.lstsq(
        inputs(a[rows]), b[rows].reshape(-1, b.shape[3]).astype(np.float64), rcond=None
    )[0]
    return (
        (inputs(given) @ weights).round().clip(0, 255).astype(np.uint8).reshape(*given.shape[:3], b.shape[3])
    )


class Scores:
    """Scores of images against their true partners, by pixels and by EfficientNet-Lite0's features."""

    def __init__(self, truth: np.ndarray, threads: int = 1, paired: bool = True) -> None:
        started = runtime.start_runtime(threads=threads)
        self.truth, self.paired = truth, paired
        try:
            self.net = features.load("efficientnet_lite0", runtime=started)
        except sparring.errors.SparringError as error:
            print(f"no perceptual distance and no kernel distance: {error.got}", file=sys.stderr)
            self.net = None
        self.real = self._features(truth)

    def _features(self, pictures: np.ndarray) -> torch.Tensor | None:
        if self.net is None:
            return None
        return torch.as_tensor(self.net(in_channels(pictures, 3)).features).double()

    def of(self, made: np.ndarray) -> dict[str, float]:
        """PSNR in dB, SSIM, distance of features (squared, 0 to 4) of the pairs; 1,000 times the kernel distance of the sets."""
        found = {}
        if self.paired:
            found = {
                "psnr": metrics.psnr(self.truth, made).clamp(max=60).mean().item(),
                "ssim": metrics.ssim(self.truth, made).mean().item(),
            }
            found["l1"] = metrics.l1(self.truth, made).mean().item()
        fake = self._features(made)
        if self.real is not None and fake is not None:
            if self.paired:
                found["perceptual"] = metrics.feature_distance(self.real, fake).mean().item()
            size = min(len(self.real), len(fake)) * 9 // 10
            found["kd"] = 1000 * metrics.kernel_distance(self.real, fake, subsets=50, size=size)[0]
        return {name: round(value, 4) for name, value in found.items()}


def table(rows: Sequence[dict[str, Any]], name: str, values: Sequence[str]) -> None:
    """Means over the seeds and, where there are several, their standard deviation."""
    print(f"\n{name:<16}" + "".join(f"{value:>18}" for value in values))
    for which in dict.fromkeys(row[name] for row in rows):
        cells = []
        for value in values:
            found = [row[value] for row in rows if row[name] == which and value in row]
            spread = f" +-{np.std(found, ddof=1):.3f}" if len(found) > 1 else ""
            cells.append(f"{np.mean(found):.3f}{spread}" if found else "")
        print(f"{which:<16}" + "".join(f"{cell:>18}" for cell in cells))


def sheet(path: Path, columns: dict[str, np.ndarray], rows: int = 12, scale: int = 2) -> None:
    """A sheet of images: a column of each name, and rows spread over the set."""
    count = min(len(pictures) for pictures in columns.values())
    chosen = np.linspace(0, count - 1, min(rows, count)).astype(int)
    body = np.concatenate(
        [
            np.concatenate([in_channels(pictures[chosen], 3)[i] for i in range(len(chosen))])
            for pictures in columns.values()
        ],
        1,
    )
    picture = Image.fromarray(body)
    picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    titled = Image.new("RGB", (picture.width, picture.height + 16), "white")
    titled.paste(picture, (0, 16))
    step = picture.width // len(columns)
    for number, name in enumerate(columns):
        ImageDraw.Draw(titled).text((number * step + 3, 2), name, "black")
    path.parent.mkdir(parents=True, exist_ok=True)
    titled.save(path)
