"""`sparring latent ...`: each command writes what it says, and says what is wrong in three parts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from sparring.core.shapes import SampleSpec
from sparring.inference import latent
from sparring.recipes.table import TINY_RECIPES
from sparring.runs import generator_file


def model(path: Path, recipe: str, spec: SampleSpec, tiny=None) -> Path:
    """A generator's file, untrained."""
    experiment = (tiny or TINY_RECIPES[recipe])()
    units = {} if spec.is_image else {"centre": [0.0, 0.0], "scale": [1.0, 1.0]}
    names = [f"class {k}" for k in range(spec.num_classes)]
    facts = {"images": 0, "units": units, "classes": names}
    generator_file.save(path, experiment.game.build_model(spec).eval(), experiment, facts)
    return path


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    return model(
        tmp_path_factory.mktemp("m") / "c.safetensors", "cgan", SampleSpec(shape=(3, 8, 8), num_classes=2)
    )


@pytest.fixture
def call(capfd):
    def run(*arguments):
        capfd.readouterr()
        code = cli.run(["latent", *map(str, arguments), "--device", "cpu"])
        said = capfd.readouterr()
        return code, said.out + said.err

    return run


@pytest.mark.parametrize(("name", "frames"), [("w.gif", 6), ("w.webp", 6), ("w.png", 1), ("folder", 6)])
def test_a_walk_goes_into_any_kind_of_file(call, conditional, tmp_path, name, frames) -> None:
    out = tmp_path / name
    code, said = call("walk", conditional, "--n", 3, "--steps", 2, "--out", out)
    assert code == 0
    assert "6 frames" in said
    if out.is_dir():
        assert len(list(out.glob("*.png"))) == frames
        return
    with Image.open(out) as film:
        assert getattr(film, "n_frames", 1) == frames


def test_grids_sums_and_morphs_are_sheets(call, conditional, tmp_path) -> None:
    asked = {
        "grid": ["--rows", 2, "--columns", 3],
        "mix": ["--add", "0,1", "--add", "2", "--subtract", "3-5"],
        "morph": ["--n", 2, "--steps", 3],
    }
    for name, options in asked.items():
        out = tmp_path / f"{name}.png"
        assert call(name, conditional, *options, "--out", out)[0] == 0
        with Image.open(out) as picture:
            width, height = picture.size
        shape = {"grid": (3, 2), "mix": (4, 4), "morph": (3, 2)}[name]  # columns, rows
        assert (width - 2, height - 2) == (66 * shape[0], 66 * shape[1])


def test_directions_edit_and_invert_go_hand_in_hand(call, conditional, tmp_path) -> None:
    found = tmp_path / "d.safetensors"
    code, said = call(
        "directions", conditional, "--wanted", "brightness,width", "--samples", 200, "--out", found
    )
    assert code == 0
    assert "entanglement" in said
    assert found.with_suffix(".png").is_file()
    assert [each.name for each in latent.load_directions(found)] == ["brightness", "width"]
    for number in range(2):
        picture = np.full((9, 11, 3), 60 * number + 50, np.uint8)
        (tmp_path / "mine").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "mine" / f"{number}.png")
    out = tmp_path / "inverted"
    few = ["--steps", 4, "--starts", 2, "--encoder", "none"]
    code, said = call("invert", conditional, tmp_path / "mine", *few, "--out", out)
    assert code == 0
    assert "PSNR" in said
    assert sorted(path.name for path in (out / "pictures").iterdir()) == ["0.png", "1.png"]
    edited = tmp_path / "edited.png"
    along = ["--direction", f"{found}:width", "--without", "brightness", "--steps", 3]
    assert (
        call("edit", conditional, *along, "--latents", out / "latents.safetensors", "--out", edited)[0] == 0
    )
    with Image.open(edited) as picture:
        assert picture.size == (2 + 66 * 3, 2 + 66 * 2)


def test_points_are_walked_through(call, tmp_path) -> None:
    from sparring.recipes.auto import tiny_points

    points = model(tmp_path / "p.safetensors", "auto", SampleSpec(shape=(2,)), tiny_points)
    assert call("walk", points, "--n", 2, "--steps", 2, "--films", 5, "--out", tmp_path / "w.gif")[0] == 0
    assert call("grid", points, "--rows", 2, "--out", tmp_path / "g.png")[0] == 0
    code, said = call("mix", points, "--add", "0,1")
    assert code == 2
    assert "do this" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["walk", "--samples", "1,b"], "0,4,7"),
        (["walk", "--out", "x.avi"], ".gif"),
        (["walk", "--steps", "0"], "at least 1"),
        (["grid", "--samples", "1,2,3"], "4"),
        (["mix"], "--add 0,4,7"),
        (["morph", "--classes", "class 0,horse"], "1 class 1"),
        (["directions", "--by", "labels"], "brightness"),
        (["directions", "--wanted", "brightnes"], "did you mean brightness"),
        (["edit", "--direction", "nothing.safetensors:x"], "sparring latent directions"),
    ],
)
def test_mistakes_are_told_in_three_parts(call, conditional, tmp_path, monkeypatch, words, said) -> None:
    monkeypatch.chdir(tmp_path)
    code, found = call(words[0], conditional, *words[1:])
    assert code == 2
    assert said in found
    assert "expected" in found
    assert "do this" in found
    assert list(tmp_path.iterdir()) == []


def test_there_are_no_more_directions_than_a_latent_has_numbers(call, tmp_path) -> None:
    from sparring.recipes.auto import tiny_points

    run = model(tmp_path / "p.safetensors", "auto", SampleSpec(shape=(2,)), tiny_points)
    found = generator_file.load(run).generation.latent
    for by in ("pca", "sefa"):
        code, said = call("directions", run, "--n", 50, "--by", by, "--out", tmp_path / "d.safetensors")
        assert code == 0, said
        assert len(latent.load_directions(tmp_path / "d.safetensors")) == found


def test_what_has_no_classes_is_not_morphed(call, tmp_path) -> None:
    run = model(tmp_path / "g.safetensors", "dcgan", SampleSpec(shape=(3, 8, 8)))
    assert "without classes" in call("morph", run, "--out", tmp_path / "m.png")[1]
