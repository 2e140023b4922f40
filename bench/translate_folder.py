"""How fast, and in how much memory, `sparring translate` works through a folder: small images, and few and ten times as many.

    python bench/translate_folder.py [--work DIR] [--precision auto]

The translator is `auto`'s for 64x64 (a few steps old: its speed does not depend on that); images are blocks of colour with noise,
as PNG. A process each, one thread; CPU-seconds and peak memory are those that the system counts, from start to gallery.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SPARRING = [sys.executable, "-m", "sparring"]
CASES = [(100, 64, []), (1000, 64, []), (20, 256, []), (200, 256, []), (200, 256, ["--scale", "keep"])]


def write_images(place, count, side):
    """Write the test images, the same each time."""
    if place.exists():
        return place
    place.mkdir(parents=True)
    draws = np.random.default_rng(side)
    for number in range(count):
        blocks = draws.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(side // 8, 0).repeat(side // 8, 1)
        noisy = blocks + draws.normal(0, 8, blocks.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(place / f"{number:04}.png")
    return place


def train_once(work):
    run = work / "run"
    if not run.exists():
        command = ["train", "animals:horse", "animals:zebra", "--recipe", "cyclegan", "--size", "64"]
        command += ["--images", "16", "--threads", "1", "--out", str(run), "--quiet"]
        subprocess.run([*SPARRING, *command], check=True)
    return run


def measure(run, images, out, extra_flags):
    command = [*SPARRING, "translate", str(run), str(images), "--out", str(out), "--threads", "1", "--json"]
    process = subprocess.Popen([*command, *extra_flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    summary = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return summary, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    args = parser.parse_args()
    work = args.work or Path(tempfile.mkdtemp())
    run = train_once(work)
    for count, side, extra_flags in CASES:
        images = write_images(work / f"{count}x{side}", count, side)
        flags = [*extra_flags, "--precision", args.precision]
        summary, seconds, peak = measure(
            run, images, work / f"out-{count}x{side}{''.join(extra_flags)}", flags
        )
        row = {"images": summary["translated"], "side": side, "flags": " ".join(extra_flags)}
        row |= {"cpu_seconds": round(seconds, 1), "images_per_cpu_second": round(count / seconds, 1)}
        print(json.dumps(row | {"peak_mb": round(peak)}), flush=True)


if __name__ == "__main__":
    main()
