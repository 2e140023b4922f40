"""`sparring latent ...`: the files that each command writes, and its errors."""

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
    """A generator file of an untrained model."""
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
        output = capfd.readouterr()
        return code, output.out + output.err

    return run


@pytest.mark.parametrize(("name", "frames"), [("w.gif", 6), ("w.webp", 6), ("w.png", 1), ("folder", 6)])
def test_a_walk_in_every_format(call, conditional, tmp_path, name, frames) -> None:
    out = tmp_path / name
    code, output = call("walk", conditional, "--n", 3, "--steps", 2, "--out", out)
    assert code == 0
    assert "6 frames" in output
    if out.is_dir():
        assert len(list(out.glob("*.png"))) == frames
        return
    with Image.open(out) as video:
        assert getattr(video, "n_frames", 1) == frames


def test_grids_sums_and_morphs_are_sheets(call, conditional, tmp_path) -> None:
    commands = {
        "grid": ["--rows", 2, "--columns", 3],
        "mix": ["--add", "0,1", "--add", "2", "--subtract", "3-5"],
        "morph": ["--n", 2, "--steps", 3],
    }
    for name, options in commands.items():
        out = tmp_path / f"{name}.png"
        assert call(name, conditional, *options, "--out", out)[0] == 0
        with Image.open(out) as image:
            width, height = image.size
        shape = {"grid": (3, 2), "mix": (4, 4), "morph": (3, 2)}[name]  # columns, rows
        assert (width - 2, height - 2) == (66 * shape[0], 66 * shape[1])


def test_directions_edit_and_invert_work_together(call, conditional, tmp_path) -> None:
    path = tmp_path / "d.safetensors"
    code, output = call(
        "directions", conditional, "--wanted", "brightness,width", "--samples", 200, "--out", path
    )
    assert code == 0
    assert "entanglement" in output
    assert path.with_suffix(".png").is_file()
    assert [each.name for each in latent.load_directions(path)] == ["brightness", "width"]
    for number in range(2):
        pixels = np.full((9, 11, 3), 60 * number + 50, np.uint8)
        (tmp_path / "mine").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "mine" / f"{number}.png")
    out = tmp_path / "inverted"
    few = ["--steps", 4, "--starts", 2, "--encoder", "none"]
    code, output = call("invert", conditional, tmp_path / "mine", *few, "--out", out)
    assert code == 0
    assert "PSNR" in output
    assert sorted(path.name for path in (out / "images").iterdir()) == ["0.png", "1.png"]
    edited = tmp_path / "edited.png"
    along = ["--direction", f"{path}:width", "--without", "brightness", "--steps", 3]
    assert (
        call("edit", conditional, *along, "--latents", out / "latents.safetensors", "--out", edited)[0] == 0
    )
    with Image.open(edited) as image:
        assert image.size == (2 + 66 * 3, 2 + 66 * 2)


def test_walk_and_grid_work_with_points(call, tmp_path) -> None:
    from sparring.recipes.auto import tiny_points

    points = model(tmp_path / "p.safetensors", "auto", SampleSpec(shape=(2,)), tiny_points)
    assert call("walk", points, "--n", 2, "--steps", 2, "--films", 5, "--out", tmp_path / "w.gif")[0] == 0
    assert call("grid", points, "--rows", 2, "--out", tmp_path / "g.png")[0] == 0
    code, output = call("mix", points, "--add", "0,1")
    assert code == 2
    assert "do this" in output


@pytest.mark.parametrize(
    ("arguments", "part"),
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
def test_errors_have_three_parts_and_write_nothing(
    call, conditional, tmp_path, monkeypatch, arguments, part
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = call(arguments[0], conditional, *arguments[1:])
    assert code == 2
    assert part in output
    assert "expected" in output
    assert "do this" in output
    assert list(tmp_path.iterdir()) == []


def test_at_most_as_many_directions_as_the_latent_is_wide(call, tmp_path) -> None:
    from sparring.recipes.auto import tiny_points

    run = model(tmp_path / "p.safetensors", "auto", SampleSpec(shape=(2,)), tiny_points)
    size = generator_file.load(run).generation.latent
    for by in ("pca", "sefa"):
        code, output = call("directions", run, "--n", 50, "--by", by, "--out", tmp_path / "d.safetensors")
        assert code == 0, output
        assert len(latent.load_directions(tmp_path / "d.safetensors")) == size


def test_morph_needs_classes(call, tmp_path) -> None:
    run = model(tmp_path / "g.safetensors", "dcgan", SampleSpec(shape=(3, 8, 8)))
    assert "without classes" in call("morph", run, "--out", tmp_path / "m.png")[1]
