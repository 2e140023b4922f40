"""The data of `curve.py`: sets by short names, prepared once, and a split that no run has a say in.

| name | set | from |
| --- | --- | --- |
| animals | the built-in set | the product |
| fashion | Fashion-MNIST, 60,000 training images with labels | Debian's package (bench/fashion.py) |
| cifar10 | CIFAR-10, 50,000 training images in class folders | shared/data/cifar10 (JPEG: not comparable with published scores) |
| anime | 7,500 drawn faces, 64 px | shared/data/anime_faces |
| photographs | 2,200 landscape photographs, brought to 64 px | shared/data/monet2photo (the photo part) |

Any other DATA is opened as `sparring train` would. Sets in shared/data are for research use; where one is absent this says so.
"""

import json
import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import fashion
from sparring.core.errors import ConfigError, DataError
from sparring.data import DataConfig, open_data

FOLDER = Path(os.environ.get("SPARRING_SHARED", Path(__file__).parents[2] / "shared" / "data"))
CACHE = fashion.CACHE / "curve"
ANIME, ANIME_HELD_OUT = "anime_faces_64.zip", 375  # of shared/judge/judge_images.py, whose split is ours
SPLIT_SEED = 7
MAX_HELD_OUT = 500


def shared(path: str) -> Path:
    """A file of shared/data.

    Raises:
        DataError: it is not on this machine.
    """
    file = FOLDER / path
    if not file.is_file():
        raise DataError(
            f"{file} does not exist",
            "the shared data sets",
            "set SPARRING_SHARED to their folder, or name other DATA",
        )
    return file


def unpacked(name: str, archive: Path, prefixes: tuple[str, ...]) -> Path:
    """The folder with the members of an archive that begin with one of `prefixes`, unpacked once."""
    folder = CACHE / name
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    print(f"unpacking {archive} into {folder}", file=sys.stderr)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(part, [each for each in packed.namelist() if each.startswith(prefixes)])
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(
                part, [each for each in packed if each.name.startswith(prefixes)], filter="data"
            )
    part.rename(folder)
    return folder


def source_of(name: str) -> str:
    """DATA as `sparring train` takes it, for a short name; any other text is returned as it is."""
    if name == "fashion":
        return str(fashion.source())
    if name == "cifar10":
        archive = shared("cifar10/cifar10_jpeg.tar.xz")
        return str(unpacked("cifar10", archive, ("cifar10_jpeg/train/",)) / "cifar10_jpeg" / "train")
    if name == "anime":
        return str(shared(f"anime_faces/{ANIME}"))
    if name == "photographs":
        return str(unpacked("photographs", shared("monet2photo/monet2photo_256.zip"), ("trainB/", "testB/")))
    return name


@dataclass(frozen=True, kw_only=True)
class Split:
    """The two parts of a data set.

    Arguments:
        train_file: npz with `images`, and `labels` and `classes` where there are any: DATA of every run.
        train: its images, uint8 (n, h, w, c).
        held_out: images that no run sees, uint8 (m, h, w, c).
        is_anime: whether these are the faces, for which there is an in-domain network.
    """

    train_file: Path
    train: np.ndarray
    held_out: np.ndarray
    is_anime: bool


def split_rows(count: int, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held out, by one fixed permutation."""
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    return order[held_out:], order[:held_out]


def prepare(name: str, out: Path, size: tuple[int, int] | None, held_out: int | None) -> Split:
    """Open the data, split it, and write both parts to `out`; those of an earlier call are taken as they are.

    Arguments:
        name: a short name of the table, or DATA.
        out: folder of the parts, for one data set alone.
        size: height and width in pixels; None chooses it from the data, at most 64.
        held_out: number of images; None: a tenth, at most 500 (375 of the faces, as in shared/judge).

    Raises:
        ConfigError: `out` holds another data set. DataError: points, or too few images.
    """
    wanted = {"data": name, "size": list(size) if size else None, "held_out": held_out}
    record, train_file, held_file = out / "data.json", out / "train.npz", out / "held-out.npz"
    if record.exists():
        found = json.loads(record.read_text())
        if {key: found[key] for key in wanted} != wanted:
            raise ConfigError(f"{out} holds {found}", f"{wanted}", "choose another --out for another set")
    else:
        out.mkdir(parents=True, exist_ok=True)
        dataset = open_data(DataConfig(source=source_of(name), size=size, pairing="one"))
        if not dataset.spec.is_image:
            raise DataError(f"{name} holds points", "images", "bench/mixtures.py measures ring and grid")
        is_anime = Path(source_of(name)).name == ANIME and dataset.samples.shape[1:3] == (64, 64)
        count = held_out or (ANIME_HELD_OUT if is_anime else min(MAX_HELD_OUT, len(dataset) // 10))
        if not 20 <= count < len(dataset) // 2:
            raise DataError(
                f"{count} of {len(dataset)} images held out", "20 or more, less than half", "more images"
            )
        train, held = split_rows(len(dataset), count)
        for file, rows in ((train_file, train), (held_file, held)):
            arrays = {"images": np.asarray(dataset.samples)[rows]}
            if dataset.labels is not None:
                arrays |= {"labels": dataset.labels[rows], "classes": np.array(dataset.classes)}
            np.savez(file, **arrays)
        record.write_text(json.dumps(wanted | {"count": len(dataset), "held": count, "is_anime": is_anime}))
    images = [np.load(file)["images"] for file in (train_file, held_file)]
    is_anime = json.loads(record.read_text())["is_anime"]
    return Split(train_file=train_file, train=images[0], held_out=images[1], is_anime=is_anime)
