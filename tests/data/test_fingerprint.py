"""What a fingerprint must notice, and what it must not."""

import shutil

import pytest

from sparring.data import DataConfig, open_data
from sparring.data.readers.container import change_stamp
from tests.helpers.odd_files import flat, saved


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(("cat/a", "cat/b", "dog/a", "dog/b")):
        path = tmp_path / "set" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(saved(flat(colour=(number * 40, 0, 0)), "PNG"))
    return tmp_path / "set"


def fingerprint(path, **settings):
    return open_data(DataConfig(source=str(path), **settings)).fingerprint


def add(root):
    shutil.copy(root / "cat" / "a.png", root / "cat" / "z.png")


def remove(root):
    (root / "cat" / "a.png").unlink()


def rename(root):
    (root / "cat" / "a.png").rename(root / "cat" / "aa.png")  # the order stays as it was


def one_pixel(root):
    image = flat(colour=(0, 0, 0))
    image.putpixel((3, 4), (0, 0, 1))
    (root / "cat" / "a.png").write_bytes(saved(image, "PNG"))


def one_level_up(root):
    (root / "cat" / "a.png").rename(root / "a.png")


def swap_classes(root):
    (root / "cat").rename(root / "x")
    (root / "dog").rename(root / "cat")
    (root / "x").rename(root / "dog")


def rename_class(root):
    (root / "dog").rename(root / "wolf")


def relabel(root):
    (root / "labels.csv").write_text("cat/a.png,dog\ncat/b.png,cat\ndog/a.png,dog\ndog/b.png,cat\n")


@pytest.mark.parametrize(
    "change", [add, remove, rename, one_pixel, one_level_up, swap_classes, rename_class, relabel]
)
def test_changes_are_noticed(root, change):
    before = fingerprint(root)
    assert fingerprint(root) == before
    change(root)
    assert fingerprint(root) != before


@pytest.mark.parametrize("settings", [{"size": (8, 8)}, {"channels": 1}, {"fit": "pad"}, {"labels": False}])
def test_settings_are_noticed(root, settings):
    assert fingerprint(root, **settings) != fingerprint(root)


def test_names_of_classes_count(root):
    table = "cat/a.png,{0}\ncat/b.png,{1}\ndog/a.png,{0}\ndog/b.png,{1}\n"
    fingerprints = set()
    for names in (("x", "y"), ("x", "z"), ("y", "x")):
        (root / "labels.csv").write_text(table.format(*names))
        fingerprints.add(fingerprint(root))
    assert len(fingerprints) == 3


def test_place_time_and_junk_do_not_matter(root, tmp_path):
    before = fingerprint(root)
    other = tmp_path / "other" / "name"
    shutil.copytree(root, other, copy_function=shutil.copyfile)
    (other / ".DS_Store").write_bytes(b"x")
    (other / "broken.png").write_bytes(b"x")
    (other / "empty").mkdir()
    assert fingerprint(other) == before
    assert fingerprint(root, size=(20, 32), channels=3) == fingerprint(root, size=(20, 32))


def test_a_change_that_keeps_size_and_time_is_noticed(root):
    """The scan's index must not be trusted for files that are only just written."""
    import os

    path = root / "cat" / "a.png"
    path.write_bytes(saved(flat(colour=(1, 2, 3)), "BMP"))
    status = path.stat()
    before = fingerprint(root)
    path.write_bytes(saved(flat(colour=(1, 2, 4)), "BMP"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert fingerprint(root) != before


def test_fresh_files_are_not_trusted(root):
    """A file system's clock is coarse: a file can change twice within one time stamp."""
    status = (root / "cat" / "a.png").stat()
    assert change_stamp(status, status.st_ctime) == ""
    assert change_stamp(status, status.st_ctime + 1) == ""
    assert change_stamp(status, status.st_ctime + 60) != ""


def test_an_old_folder_is_not_read_again(root, monkeypatch, cache):
    from sparring.data.readers import container, survey

    monkeypatch.setattr(container, "FRESH_SECONDS", -1e9)
    before = open_data(DataConfig(source=str(root)))
    assert list(cache.glob("index/*.json"))
    monkeypatch.setattr(survey, "read_header", None)
    again = open_data(DataConfig(source=str(root)))
    assert again.fingerprint == before.fingerprint
    assert again.report == before.report
    monkeypatch.undo()
    for path in cache.glob("index/*.json"):
        path.write_bytes(path.read_bytes().replace(b"RGB", b"XYZ"))
    monkeypatch.setenv("SPARRING_CACHE", str(cache))
    assert open_data(DataConfig(source=str(root))).report == before.report
