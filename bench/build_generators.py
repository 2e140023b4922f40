"""Small generators to begin from and to try, as release artefacts: trained, evaluated and exported by these commands alone.

    python bench/build_generators.py [animals fashion emoji] [--images N] [--seed 0] [--out release]

| name | data | size | licence of the data |
| --- | --- | --- | --- |
| animals | the built-in set, drawings of ten animals | 64, grey | MIT, beside the set |
| fashion | Fashion-MNIST, Debian's package `dataset-fashion-mnist` | 32, grey | MIT, in the package |
| emoji | Fluent 3-D emoji, npm's `@lobehub/fluent-emoji-3d`, on white | 64, colour | MIT, in the package |

Each becomes a folder in the layout of the Hugging Face hub (`sparring export --to safetensors`: weights, settings, model card,
samples) with the licence of its data; `manifest.json` holds the commands, the seed, the commit, the figures of `sparring evaluate`,
and size and SHA-256 of every file. The runs stay in `runs/`; a command that is given again goes on where it stopped. Weights are
published with a release and never committed: `release/` is ignored by git.

`sparring train DATA --from release/animals` begins with one of them.
"""

import argparse
import hashlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

import fashion
from sparring import cli
from sparring.core.version import __version__
from sparring.data.open import SETS
from translation_data import CACHE, on_white, package

EMOJI_SIZE = 64


@dataclass(frozen=True)
class Artefact:
    """A generator to build.

    Arguments:
        data: its DATA, fetched where it is not there.
        license_text: the file with the licence of the data, or the folder in which one is.
        size: side of the images.
        images: length of training.
        license: of the weights, by the hub's identifier.
    """

    data: Callable[[], str]
    license_text: Callable[[], Path]
    size: int
    images: int
    license: str = "mit"


def emoji_folder() -> str:
    """The emoji as PNG files on white, written once."""
    folder = CACHE / f"fluent-{EMOJI_SIZE}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for path in sorted((package("fluent") / "package" / "assets").glob("*.webp")):
            on_white(Image.open(path), EMOJI_SIZE).save(part / f"{path.stem}.png")
        part.rename(folder)
    return str(folder)


ARTEFACTS = {
    "animals": Artefact(lambda: "animals", lambda: SETS / "LICENSE-animals.txt", 64, 400_000),
    "fashion": Artefact(lambda: str(fashion.source()), lambda: fashion.CACHE / "fashion", 32, 400_000),
    "emoji": Artefact(emoji_folder, lambda: package("fluent"), EMOJI_SIZE, 400_000),
}


def find_license(path: Path) -> Path:
    """A file with a licence: the path itself, or the first of its names below it."""
    if path.is_file():
        return path
    names = ("LICENSE*", "LICENCE*", "copyright")
    found = sorted((file for name in names for file in path.rglob(name)), key=lambda file: len(file.parts))
    assert found, f"no licence in {path}"
    return found[0]


def run(*arguments: object) -> list[str]:
    """Run `sparring` in this process; returns the arguments."""
    words = [str(argument) for argument in arguments]
    code = cli.run(words)
    assert code == 0, f"exit code {code}: sparring {shlex.join(words)}"
    return words


def build(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train, evaluate and export a generator; returns its entry of the manifest."""
    artefact, folder = ARTEFACTS[name], args.out / name
    data, images = artefact.data(), args.images or artefact.images
    out = Path("runs") / f"release-{name}-{args.seed}-{images}"
    commands = [
        run("train", data, "--size", artefact.size, "--images", images, "--seed", args.seed, "--out", out),
        run("evaluate", out, "--json", out / "evaluation.json", "--quiet"),
    ]
    shutil.rmtree(folder, ignore_errors=True)
    exported = ("--to", "safetensors", "--license", artefact.license, "--out", folder, "--quiet")
    commands.append(run("export", out, *exported))
    shutil.copy(find_license(artefact.license_text()), folder / "LICENSE-data.txt")
    figures = json.loads((out / "evaluation.json").read_text())["results"]
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    shown = [[Path(data).name if word == data else word for word in words] for words in commands]
    return {
        "commands": [shlex.join(["sparring", *words]) for words in shown],
        "images": images,
        "seed": args.seed,
        "license": artefact.license,
        "figures": {
            line["protocol"]: {"value": line["value"], "interval": line["interval"]} for line in figures
        },
        "files": {
            path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in files
        },
    }


def commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return found.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=list(ARTEFACTS), help=f"of {', '.join(ARTEFACTS)}")
    parser.add_argument("--images", type=int, help="length of every run, to try the script")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("release"))
    args = parser.parse_args()
    path = args.out / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {"generators": {}}
    for name in args.names:
        manifest |= {"sparring": __version__, "commit": commit()}
        manifest["generators"][name] = build(name, args)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest, indent=1) + "\n")
        print(f"{name}: {args.out / name}")


if __name__ == "__main__":
    main()
