"""`sparring inspect` and `sparring recipes`."""

import json
from pathlib import Path

from PIL import Image

from sparring.recipes import RECIPE_DESCRIPTIONS


def test_summary_of_the_data_and_its_cost(sparring, messy: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    small = "game.generator.width=4", "game.discriminator.width=4"
    code, out, _ = sparring(
        "inspect", messy, "--size", 8, "--recipe", "dcgan", "--out", sheet, "--set", *small
    )
    assert code == 0
    with Image.open(sheet) as image:
        assert image.width > 0
    for fact in (
        "24 images of 8x8",
        "skipped 3",
        "notes.txt",
        "truncated.png",
        "dark (12)",
        "images/s",
        "MiB of memory",
        "batch=",
    ):
        assert fact in out


def test_as_json(sparring, messy: Path, tmp_path: Path) -> None:
    small = "game.generator.width=4", "game.discriminator.width=4"
    options = ["--size", "8x12", "--recipe", "dcgan", "--out", tmp_path / "s.png", "--json", "--set", *small]
    code, out, _ = sparring("inspect", messy, *options)
    document = json.loads(out)
    assert code == 0
    assert document["shape"] == [1, 8, 12]
    assert document["data"]["count"] == 24
    assert len(document["data"]["skipped"]) == 3
    assert document["cost"]["images_per_second"] > 0
    assert document["experiment"]["recipe"] == "dcgan"
    assert len(document["fingerprint"]) == 64


def test_recipes_are_listed(sparring) -> None:
    code, out, _ = sparring("recipes")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(RECIPE_DESCRIPTIONS)


def test_whether_images_may_be_mirrored(sparring, messy: Path, tmp_path: Path) -> None:
    small = "--recipe", "dcgan", "--set", "game.generator.width=4", "game.discriminator.width=4"
    code, out, _ = sparring("inspect", "animals", "--out", tmp_path / "s.png", "--json", *small)
    assert code == 0
    verdict = json.loads(out)["mirror_test"]
    assert (verdict["verdict"], verdict["allows_flips"], verdict["count"]) == ("symmetric", True, 2_000)
    code, out, _ = sparring("inspect", messy, "--size", 8, "--out", tmp_path / "s.png", *small)
    assert code == 0
    assert "mirroring" not in out  # 24 images are too few
