"""The polygon world: keyed, balanced, one map to many scenes, and written in each layout."""

import numpy as np
import pytest
from PIL import Image

from sparring.core.errors import ConfigError, DataError
from sparring.data.readers.points import POINT_SETS, mixture_modes
from sparring.data.synthetic import (
    LAYOUTS,
    TEXTURE_NAMES,
    decode_colours,
    encode_colours,
    generate_scenes,
    write_pairs,
)
from sparring.protocols.catalogue import METRICS_INFO


def test_an_image_depends_on_its_number_alone() -> None:
    maps, scenes = generate_scenes(7, (16, 24), seed=3)
    later = generate_scenes(3, (16, 24), seed=3, first=4)
    assert (maps[4:] == later[0]).all()
    assert (scenes[4:] == later[1]).all()
    assert len({scene.tobytes() for scene in scenes}) == 7
    assert (generate_scenes(7, (16, 24), seed=4)[0] != maps).any()


def test_classes_are_balanced_and_maps_are_not_noise() -> None:
    maps, _ = generate_scenes(200, (32, 32))
    shares = np.bincount(maps.ravel(), minlength=len(TEXTURE_NAMES)) / maps.size
    assert abs(shares - 1 / len(TEXTURE_NAMES)).max() < 0.04
    assert (maps[:, 1:] == maps[:, :-1]).mean() > 0.9
    assert len(np.unique(maps)) == len(TEXTURE_NAMES)


def test_the_two_classes_of_a_pair_differ_by_texture_alone() -> None:
    maps, scenes = generate_scenes(300, (32, 32))
    means = np.stack([scenes[maps == kind].mean(0) for kind in range(len(TEXTURE_NAMES))])
    within = np.abs(means[0::2] - means[1::2]).max()
    across = min(np.abs(means[a] - means[b]).max() for a, b in ((0, 2), (0, 4), (2, 4)))
    assert within < 10 < 20 < across


def test_a_colour_code_is_read_back_even_when_it_is_blurred() -> None:
    maps, _ = generate_scenes(5, (16, 16))
    worn = encode_colours(maps).astype(int) + np.random.default_rng(0).integers(-20, 21, (5, 16, 16, 3))
    assert (decode_colours(worn.clip(0, 255).astype(np.uint8)) == maps).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_written_pairs_are_what_was_drawn(layout, tmp_path) -> None:
    write_pairs(tmp_path / "world", {"train": 3, "test": 2}, (12, 16), layout=layout)
    maps, scenes = generate_scenes(2, (12, 16), first=3)
    places = {
        "sides": ("test", "test"),
        "folders": ("A/test", "B/test"),
        "beside": ("testA", "testB"),
    }[layout]
    a, b = (np.asarray(Image.open(tmp_path / "world" / place / "000001.png")) for place in places)
    assert (a[:, :16] == encode_colours(maps)[1]).all()
    assert (b[:, -16:] == scenes[1]).all()
    assert len([*(tmp_path / "world").rglob("*.png")]) == (5 if layout == "sides" else 10)


def test_nothing_is_written_over(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        write_pairs(tmp_path, {"train": 1})
    with pytest.raises(ConfigError, match="layout"):
        write_pairs(tmp_path / "new", {"train": 1}, layout="stacked")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="8x8"):
        generate_scenes(1, (4, 64))


def test_every_mixture_has_known_modes():
    """`protocols` names the mixtures without torch; here they must exist, with their modes."""
    mixtures = METRICS_INFO["modes"].sources
    assert set(mixtures) < set(POINT_SETS)
    assert [len(mixture_modes(name)[0]) for name in mixtures] == [8, 25]
