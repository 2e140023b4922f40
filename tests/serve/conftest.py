"""A small run on images and one on points, and explorers of both."""

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from tests.helpers.raw_asgi import CANARY, Explorer


def train(*options: str) -> None:
    assert cli.run(["train", *options, "--device", "cpu", "--threads", "1", "--quiet"]) == 0


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    (folder / "canary.txt").write_bytes(CANARY)
    return folder


@pytest.fixture(scope="session")
def image_run(workspace):
    """A generator of 8x8 images; among its samples is a symbolic link to a file outside the run."""
    data = workspace / "data"
    for label, grey in {"dark": 60, "<b>light</b>": 200}.items():
        folder = data / label.replace("/", "|")
        folder.mkdir(parents=True)
        for number in range(12):
            Image.fromarray(np.full((8, 8, 3), (grey, 30 + number, 90), np.uint8)).save(
                folder / f"{number}.png"
            )
    run = workspace / "run"
    small = ["--set", "game.generator.width=8", "--set", "game.discriminator.width=8"]
    train(
        str(data),
        "--recipe",
        "dcgan",
        "--images",
        "64",
        "--size",
        "8",
        "--batch",
        "16",
        "--out",
        str(run),
        *small,
    )
    (run / "samples" / "000000000999.png").symlink_to(workspace / "canary.txt")
    return run


@pytest.fixture(scope="session")
def point_run(workspace):
    train("ring", "--images", "100", "--recipe", "gan", "--out", str(workspace / "ring"))
    return workspace / "ring"


@pytest.fixture
def explorer(image_run):
    opened = Explorer(image_run)
    yield opened
    opened.close()


@pytest.fixture
def points_explorer(point_run):
    opened = Explorer(point_run)
    yield opened
    opened.close()
