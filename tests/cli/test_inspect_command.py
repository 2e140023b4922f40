"""`sparring inspect`, `sparring recipes`, and that asking for help is quick."""

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image

from sparring.core.version import __version__
from sparring.recipes import RECIPE_DESCRIPTIONS


def test_it_tells_what_is_in_the_data_and_what_it_costs(sparring, messy: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    small = "game.generator.width=4", "game.discriminator.width=4"
    code, out, _ = sparring(
        "inspect", messy, "--size", 8, "--recipe", "dcgan", "--out", sheet, "--set", *small
    )
    with Image.open(sheet) as picture:
        assert code == 0
        assert picture.width > 0
    for fact in (
        "24 images of 8x8",
        "skipped 3",
        "notes.txt",
        "torn.png",
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
    told = json.loads(out)
    assert code == 0
    assert told["shape"] == [1, 8, 12]
    assert told["data"]["count"] == 24
    assert len(told["data"]["skipped"]) == 3
    assert told["cost"]["images_per_second"] > 0
    assert told["experiment"]["recipe"] == "dcgan"
    assert len(told["fingerprint"]) == 64


def test_recipes_are_listed(sparring) -> None:
    code, out, _ = sparring("recipes")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(RECIPE_DESCRIPTIONS)


def test_the_version_is_told(sparring) -> None:
    assert sparring("--version") == (0, f"sparring {__version__}\n", "")


def test_help_and_recipes_do_not_wait_for_torch() -> None:
    program = """
import sys
from sparring import cli
for words in (["--help"], ["train", "--help"], ["sample", "--help"], ["inspect", "--help"], ["recipes"], ["--version"], ["trian"]):
    try:
        cli.run(words)
    except SystemExit:
        pass
assert "torch" not in sys.modules and "numpy" not in sys.modules, "slow imports"
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)


def test_a_reader_who_leaves_is_no_accident() -> None:
    program = "import sys; from sparring import cli; cli.main(['recipes'])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 141
    assert said == b""
