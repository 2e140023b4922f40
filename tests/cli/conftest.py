"""Fixtures: one small run of a conditional recipe and one of points, trained once, and the command line in this process."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from sparring.recipes.table import TINY_RECIPES

Answer = tuple[int, str, str]


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session", autouse=True)
def own_cache(room: Path):
    before = os.environ.get("SPARRING_CACHE")
    os.environ["SPARRING_CACHE"] = str(room / "cache")
    yield
    if before is None:
        del os.environ["SPARRING_CACHE"]
    else:
        os.environ["SPARRING_CACHE"] = before


@pytest.fixture(scope="session")
def messy(room: Path) -> Path:
    """A folder of two classes with images of several sizes, a text file, an empty file and a truncated one."""
    folder = room / "messy"
    for name, grey_level in {"dark": 60, "light <script>": 200}.items():
        (folder / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.full((10 + number, 14, 3), grey_level + number, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "dark" / "notes.txt").write_text("not an image")
    (folder / "dark" / "empty.png").write_bytes(b"")
    (folder / "dark" / "truncated.png").write_bytes((folder / "dark" / "3.png").read_bytes()[:40])
    return folder


@pytest.fixture(scope="session")
def tiny_settings(room: Path) -> Path:
    """A tiny configuration of a conditional recipe, as a file for --config."""
    path = room / "tiny.json"
    document = TINY_RECIPES["cgan"]().to_json()
    document = {"game": document["game"], "training": {"batch": 16, "sample_grid": 4}}
    path.write_text(json.dumps(document))
    return path


def trained(options: list[str]) -> Path:
    code = cli.run(["train", *options, "--device", "cpu", "--threads", "1", "--quiet"])
    assert code == 0
    return Path(options[options.index("--out") + 1])


@pytest.fixture(scope="session")
def run(room: Path, messy: Path, tiny_settings: Path) -> Path:
    options = [
        str(messy),
        "--recipe",
        "cgan",
        "--images",
        "64",
        "--size",
        "8",
        "--config",
        str(tiny_settings),
    ]
    return trained([*options, "--out", str(room / "run")])


@pytest.fixture(scope="session")
def points(room: Path) -> Path:
    return trained(["ring", "--images", "100", "--recipe", "gan", "--out", str(room / "ring")])


@pytest.fixture
def sparring(capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The command line, in this process: exit code, standard output, standard error."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        try:
            code = cli.run([str(argument) for argument in arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        output = capfd.readouterr()
        return code, output.out, output.err

    return call
