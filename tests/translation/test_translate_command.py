"""`sparring translate`: names kept, sizes restored, the gallery, and errors."""

import json

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.cli import run
from sparring.report import Gallery


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Pairs of grey images and colour images that are red where the grey ones are light."""
    folder, random = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for side in ("A", "B"):
        (folder / side).mkdir()
    for number in range(12):
        grey = np.kron(random.integers(0, 256, (4, 4)), np.ones((4, 4))).astype(np.uint8)
        Image.fromarray(grey).save(folder / "A" / f"{number}.png")
        Image.fromarray(np.stack([grey, 255 - grey, 0 * grey], 2)).save(folder / "B" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def trained(pairs, tmp_path_factory):
    out = tmp_path_factory.mktemp("translator") / "run"
    small = ["game.translator.width=4", "game.discriminator.width=4", "game.discriminator.patch_size=7"]
    arguments = ["train", str(pairs), "--recipe", "pix2pix", "--out", str(out), "--images", "32", "--quiet"]
    assert run([*arguments, "--threads", "1", *(word for line in small for word in ("--set", line))]) == 0
    return out


def test_names_and_sizes_are_kept(trained, tmp_path, capsys):
    source, out = tmp_path / "source", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    Image.new("RGB", (40, 23), (10, 200, 30)).save(source / "sub" / "a.jpg")
    Image.new("L", (16, 16), 128).save(source / "sub" / "a.png")
    Image.new("RGBA", (5, 50)).save(source / "tall.webp")
    (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    assert run(["translate", str(trained), str(source), "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["translated"], document["skipped"]) == (3, 1)
    results = {}
    for path in out.rglob("*.png"):
        with Image.open(path) as image:
            results[path.relative_to(out).as_posix()] = (image.mode, image.size)
    sizes = {"sub/a.png": (40, 23), "sub/a.png.png": (16, 16), "tall.png": (5, 50)}
    assert results == {name: ("RGB", size) for name, size in sizes.items()}
    page = (out / "gallery.html").read_text()
    assert page.count("<figure>") == 3
    assert "://" not in page


def test_the_psnr_against_the_truth_is_measured(trained, pairs, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["translate", str(trained), str(pairs / "A"), "--truth", str(pairs / "B"), "--out", str(out)]
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert 3 < document["psnr"] < 60
    assert (out / "gallery.html").read_text().count('data-is="truth"') == 12


def test_translation_is_deterministic(trained, pairs, tmp_path):
    for out in ("one", "two"):
        assert (
            run(["translate", str(trained), str(pairs / "A"), "--out", str(tmp_path / out), "--quiet"]) == 0
        )
    one, two = (sorted((tmp_path / out).glob("*.png")) for out in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--direction", "b-to-a"], "b-to-a"),
        (["--direction", "sideways"], "sideways"),
        (["--scale", "huge"], "scale"),
        (["--tile", "3"], "tiles"),
        (["--truth", "nowhere"], "nowhere"),
        (["--out", "INSIDE"], "inside of"),
    ],
)
def test_user_errors(trained, pairs, tmp_path, capsys, options, part):
    options = [str(pairs / "A" / "inner") if word == "INSIDE" else word for word in options]
    out = [] if "--out" in options else ["--out", str(tmp_path)]
    assert run(["translate", str(trained), str(pairs / "A"), *out, *options]) == 2
    assert part in capsys.readouterr().err


def test_no_input_image_is_overwritten(trained, tmp_path, capsys):
    source = tmp_path / "a.png"
    Image.new("RGB", (20, 20), (10, 200, 30)).save(source)
    before = source.read_bytes()
    assert run(["translate", str(trained), str(source), "--out", str(tmp_path)]) == 2
    assert "a.png is one of the input images" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_an_empty_folder_and_a_missing_one(trained, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        assert run(["translate", str(trained), str(tmp_path / name), "--out", str(tmp_path / "o")]) == 2
        assert name in capsys.readouterr().err


def test_in_python(trained):
    output = sparring.load(trained).translate(np.zeros((20, 30, 1), np.uint8))
    assert (output.shape, output.dtype) == ((20, 30, 3), np.uint8)


def test_the_gallery_stays_small_and_escapes_names():
    gallery = Gallery()
    for number in range(130):
        image = Image.new("L", (8, 8), number)
        gallery.add(f"<b>{number}", image, image)
    page = gallery.render("<i>")
    assert page.count("<figure>") == 120
    assert "<b>" not in page
    assert "the first 120 of 130" in page
