"""Where labels come from, and choosing classes."""

import json

import pytest

from sparring.core.errors import ConfigError, DataError
from sparring.data import DataConfig, open_data
from sparring.data.open import parse_source
from tests.helpers.odd_files import flat, saved


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(("cat/a", "cat/b", "dog/a", "eel/a", "eel/b", "eel/c")):
        path = tmp_path / "set" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(flat(colour=(number * 40, 0, 0)), "PNG"))
    return tmp_path / "set"


def opened(path, **settings):
    return open_data(DataConfig(source=str(path), **settings))


def test_sub_folders(root):
    data = opened(root)
    assert data.classes == ("cat", "dog", "eel")
    assert data.labels.tolist() == [0, 0, 1, 2, 2, 2]
    assert data.spec.num_classes == 3
    assert "labels from sub-folders" in data.report.why


def test_one_level_up_is_noticed(root):
    (root / "cat" / "a.png").rename(root / "a.png")
    data = opened(root)
    assert data.labels is None
    assert "no labels: 1 images are in no sub-folder" in data.report.why


def test_labels_can_be_left_out(root):
    data = opened(root, labels=False)
    assert data.labels is None
    assert data.classes == ()
    assert len(data) == 6


@pytest.mark.parametrize("header", ["", "file,label\n", "\ufefffilename,class\n"])
def test_csv(root, header):
    (root / "labels.csv").write_text(
        header + "cat/a.png,x\n./cat/b.png,y\r\ndog/a.png, x\neel/a.png,y,extra\n", encoding="utf-8"
    )
    data = opened(root)
    assert data.report.classes == {"x": 2, "y": 2}
    assert data.labels.tolist() == [0, 1, 0, 1]
    assert dict(data.report.skipped) == {"eel/b.png": "no label", "eel/c.png": "no label"}


def test_json_beats_csv_and_sorts_numbers(root):
    names = ["cat/a.png", "cat/b.png", "dog/a.png", "eel/a.png", "eel/b.png", "eel/c.png"]
    (root / "labels.csv").write_text("cat/a.png,x\n")
    (root / "dataset.json").write_text(
        json.dumps({"labels": [[name, 10 - number] for number, name in enumerate(names)]})
    )
    data = opened(root)
    assert data.classes == ("5", "6", "7", "8", "9", "10")
    assert data.labels.tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"labels": 3}', '{"labels": [["a"]]}', '{"labels": [["a", [1]]]}', "[" * 5000]
)
def test_damaged_json_is_reported(root, text):
    (root / "dataset.json").write_text(text)
    with pytest.raises(DataError, match="dataset.json"):
        opened(root)


def test_damaged_csv_is_reported(root):
    (root / "labels.csv").write_bytes(b"only-one-column\n")
    with pytest.raises(DataError, match="labels.csv"):
        opened(root)


def test_splits_are_no_classes(root):
    (root / "cat").rename(root / "train")
    (root / "dog").rename(root / "val")
    (root / "eel").rename(root / "test")
    assert opened(root).labels is None


def test_choosing_classes(root):
    data = opened(f"{root}:eel,cat")
    assert data.classes == ("cat", "eel")
    assert data.labels.tolist() == [0, 0, 1, 1, 1]
    assert opened(f"{root}:cat,eel").fingerprint == data.fingerprint
    one = opened(f"{root}:eel")
    assert one.labels is None
    assert len(one) == 3
    assert opened(f"{root}:eel,cat", labels=False).labels is None
    with pytest.raises(DataError, match="did you mean cat"):
        opened(f"{root}:cta")


def test_an_existing_path_wins(root, tmp_path):
    place = tmp_path / "set:cat"
    place.mkdir()
    (place / "a.png").write_bytes(saved(flat(), "PNG"))
    assert len(opened(place)) == 1
    assert parse_source(f"{place}:x", {})[0] == str(place)
    assert parse_source("C:\\data", {"animals"}) == ("C:\\data", ())
    assert parse_source("animals:cat,,dog ", {"animals"}) == ("animals", ("cat", "dog"))


def test_unknown_names_say_the_nearest():
    with pytest.raises(DataError, match="did you mean animals"):
        open_data(DataConfig(source="animal"))


@pytest.mark.parametrize(
    "settings",
    [
        {"source": ""},
        {"size": (0, 4)},
        {"size": (4, 5000)},
        {"channels": 2},
        {"fit": "zoom"},
        {"max_size": 0},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(ConfigError):
        DataConfig(**settings)
