"""The polygon world: keyed, balanced, one map to many scenes, and written in each layout."""

import numpy as np
import pytest
from PIL import Image

from sparring.data.synthetic import KINDS, LAYOUTS, colour_code, draw, read_code, write
from sparring.errors import ConfigError, DataError


def test_a_picture_depends_on_its_number_alone() -> None:
    maps, scenes = draw(7, (16, 24), seed=3)
    later = draw(3, (16, 24), seed=3, first=4)
    assert (maps[4:] == later[0]).all()
    assert (scenes[4:] == later[1]).all()
    assert len({scene.tobytes() for scene in scenes}) == 7
    assert (draw(7, (16, 24), seed=4)[0] != maps).any()


def test_classes_are_balanced_and_maps_are_not_noise() -> None:
    maps, _ = draw(200, (32, 32))
    shares = np.bincount(maps.ravel(), minlength=len(KINDS)) / maps.size
    assert abs(shares - 1 / len(KINDS)).max() < 0.04
    assert (maps[:, 1:] == maps[:, :-1]).mean() > 0.9
    assert len(np.unique(maps)) == len(KINDS)


def test_the_two_classes_of_a_pair_differ_by_texture_alone() -> None:
    maps, scenes = draw(300, (32, 32))
    means = np.stack([scenes[maps == kind].mean(0) for kind in range(len(KINDS))])
    within = np.abs(means[0::2] - means[1::2]).max()
    across = min(np.abs(means[a] - means[b]).max() for a, b in ((0, 2), (0, 4), (2, 4)))
    assert within < 10 < 20 < across


def test_a_colour_code_is_read_back_even_when_it_is_blurred() -> None:
    maps, _ = draw(5, (16, 16))
    worn = colour_code(maps).astype(int) + np.random.default_rng(0).integers(-20, 21, (5, 16, 16, 3))
    assert (read_code(worn.clip(0, 255).astype(np.uint8)) == maps).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_written_pairs_are_what_was_drawn(layout, tmp_path) -> None:
    write(tmp_path / "world", {"train": 3, "test": 2}, (12, 16), layout=layout)
    maps, scenes = draw(2, (12, 16), first=3)
    places = {
        "sides": ("test", "test"),
        "folders": ("A/test", "B/test"),
        "beside": ("testA", "testB"),
    }[layout]
    a, b = (np.asarray(Image.open(tmp_path / "world" / place / "000001.png")) for place in places)
    assert (a[:, :16] == colour_code(maps)[1]).all()
    assert (b[:, -16:] == scenes[1]).all()
    assert len([*(tmp_path / "world").rglob("*.png")]) == (5 if layout == "sides" else 10)


def test_nothing_is_written_over(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        write(tmp_path, {"train": 1})
    with pytest.raises(ConfigError, match="layout"):
        write(tmp_path / "new", {"train": 1}, layout="stacked")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="8x8"):
        draw(1, (4, 64))
