"""Count the files of Sparring in which a function is executed, for five small uses of it.

    python bench/files_executed.py                      # the table: train, one step, finished run, sample, evaluate
    python bench/files_executed.py --list evaluate      # the files of one of them, one a line
    PYTHONPATH=OTHER/src python bench/files_executed.py # of another tree, to compare before and after

`train` trains a DCGAN for two steps on 64 images and writes its report, `step` is the last of these steps alone, `finished`
is the same command once more, `sample` writes a grid of 4 images, `evaluate` measures one Frechet distance (20 samples, PCA
features) and writes its report. A file counts once if the body of one of its functions runs; all modules are imported before
the count begins, so importing alone does not count. Each use runs in a process of its own. About a minute on one core.
"""

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

import numpy as np

STEP_FUNCTIONS = {"TrainState.train_step", "Match.step"}
NOT_IMPORTED = ("sparring.__main__", "sparring.features.convert")
LAST_LINE = "files: "
SMALL = (
    "--images 32 --batch 16 --device cpu --threads 1 --set game.generator.width=8 game.discriminator.width=8"
)


class FileTracer:
    """Collects the files of the package whose functions are called, in all threads.

    Arguments:
        root: the package's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = f"{root}/"
        self.files: set[str] = set()
        self.step_files: set[str] = set()
        self._in_step = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self.root):
            return
        is_step = code.co_qualname in STEP_FUNCTIONS
        if event == "return":
            self._in_step -= is_step
            return
        if is_step:
            self._in_step += 1
            if self._in_step == 1:
                self.step_files = set()
        name = code.co_filename.removeprefix(self.root)
        self.files.add(name)
        if self._in_step:
            self.step_files.add(name)


def commands(folder: Path) -> dict[str, list[str]]:
    """The command of each use, in an order in which they can run."""
    data, run = str(folder / "images.npz"), str(folder / "run")
    train = ["train", data, "--recipe", "dcgan", "--out", run, *SMALL.split()]
    return {
        "train": train,
        "finished": train,
        "sample": ["sample", run, "--n", "4", "--out", str(folder / "grid.png"), "--device", "cpu"],
        "evaluate": ["evaluate", run, "--metrics", "fd20-pca-train", "--device", "cpu", "--threads", "1"],
    }


def import_everything() -> Path:
    """Import all modules of the package; returns its folder."""
    package = importlib.import_module("sparring")
    for module in pkgutil.walk_packages(package.__path__, "sparring."):
        if module.name not in NOT_IMPORTED:
            importlib.import_module(module.name)
    return Path(package.__path__[0]).resolve()


def trace(command: list[str]) -> None:
    """Run one command in this process; the last line that is printed holds the files as JSON."""
    from sparring import cli

    tracer = FileTracer(import_everything())
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    code = cli.run(command)
    sys.setprofile(None)
    assert code == 0, f"{command} ended with {code}"
    files = {"all": sorted(tracer.files), "step": sorted(tracer.step_files)}
    print(f"\n{LAST_LINE}{json.dumps(files)}")


def measure() -> dict[str, list[str]]:
    """The files of each use."""
    files_of = {}
    with tempfile.TemporaryDirectory() as name:
        images = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1), dtype=np.uint8)
        np.savez(Path(name) / "images.npz", images=images)
        for use, command in commands(Path(name)).items():
            done = subprocess.run(
                [sys.executable, __file__, "--trace", json.dumps(command)], capture_output=True, text=True
            )
            lines = done.stdout.splitlines()
            if done.returncode != 0:
                raise SystemExit(f"{use} failed:\n{done.stdout}\n{done.stderr}")
            files = json.loads(lines[-1].removeprefix(LAST_LINE))
            files_of[use] = files["all"]
            if use == "train":
                files_of["step"] = files["step"]
    return files_of


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", metavar="USE", help="print the files of this use")
    parser.add_argument("--trace", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trace:
        trace(json.loads(options.trace))
        return
    files_of = measure()
    if options.list:
        print(*files_of[options.list], sep="\n")
        return
    for use, files in files_of.items():
        print(f"{use:<10}{len(files):>4}")


if __name__ == "__main__":
    main()
