"""A small run of images and one of points, and explorers of them."""

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from tests.helpers.raw_asgi import CANARY, Explorer


def trained(*options: str) -> None:
    assert cli.run(["train", *options, "--device", "cpu", "--threads", "1", "--quiet"]) == 0


@pytest.fixture(scope="session")
def serve_room(tmp_path_factory):
    room = tmp_path_factory.mktemp("serve")
    (room / "canary.txt").write_bytes(CANARY)
    return room


@pytest.fixture(scope="session")
def picture_run(serve_room):
    """A conditional generator of 8x8 images, with a link that leads out among its files."""
    folder = serve_room / "data"
    for label, shade in {"dark": 60, "<b>light</b>": 200}.items():
        place = folder / label.replace("/", "|")
        place.mkdir(parents=True)
        for number in range(12):
            Image.fromarray(np.full((8, 8, 3), (shade, 30 + number, 90), np.uint8)).save(
                place / f"{number}.png"
            )
    run = serve_room / "run"
    small = ["--set", "game.generator.width=8", "--set", "game.discriminator.width=8"]
    trained(
        str(folder),
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
    (run / "samples" / "000000000999.png").symlink_to(serve_room / "canary.txt")
    return run


@pytest.fixture(scope="session")
def point_run(serve_room):
    trained("ring", "--images", "100", "--recipe", "gan", "--out", str(serve_room / "ring"))
    return serve_room / "ring"


@pytest.fixture
def explorer(picture_run):
    found = Explorer(picture_run)
    yield found
    found.close()


@pytest.fixture
def points_explorer(point_run):
    found = Explorer(point_run)
    yield found
    found.close()
