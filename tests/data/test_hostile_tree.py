"""Folders with everything in them that should not be: the scan ends, never blocks, and says what it left out."""

import os
import random
import socket
import time
import unicodedata

import numpy as np
import pytest

from sparring.core.errors import DataError
from sparring.data import DataConfig, open_data
from sparring.data.readers import container as folder_module
from tests.helpers.odd_files import flat, saved

PNG = saved(flat(), "PNG")


def opened(path, **settings):
    return open_data(DataConfig(source=str(path), **settings))


@pytest.fixture
def tree(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for place in (root / "cats", root / "dogs", root / "empty", root / "__MACOSX", root / ".hidden", outside):
        place.mkdir(parents=True)
    for name in (
        "cats/a.png",
        "cats/b.png",
        "dogs/c.png",
        "__MACOSX/x.png",
        ".hidden/h.png",
        "cats/.DS_Store",
        "cats/._a.png",
    ):
        (root / name).write_bytes(PNG)
    (root / "Thumbs.db").write_bytes(PNG)
    (root / "notes.txt").write_text("hello")
    (root / "inner.zip").write_bytes(b"PK")
    (outside / "secret.png").write_bytes(PNG)
    (root / "cats" / "loop").symlink_to(root)
    (root / "cats" / "self.png").symlink_to(root / "cats" / "self.png")
    (root / "cats" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "dogs" / "out.png").symlink_to(outside / "secret.png")
    (root / "dogs" / "outdir").symlink_to(outside)
    (root / "dogs" / "inside.png").symlink_to(root / "cats" / "a.png")
    os.mkfifo(root / "dogs" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(root)
        server.bind("socket.png")
        os.chdir(here)
    return root


def test_each_file_is_used_or_reported(tree):
    start = time.process_time()
    data = opened(tree)
    assert time.process_time() - start < 5
    reasons = dict(data.report.skipped)
    assert data.classes == ("cats", "dogs")
    assert data.report.classes == {"cats": 2, "dogs": 2}
    expected = {
        "__MACOSX": "system",
        ".hidden": "system",
        "cats/.DS_Store": "system",
        "cats/._a.png": "system",
        "Thumbs.db": "system",
        "notes.txt": "not an image by its name",
        "inner.zip": "zip inside",
        "cats/loop": "link to a folder",
        "cats/self.png": "nowhere or to itself",
        "cats/gone.png": "nowhere or to itself",
        "dogs/out.png": "link out of",
        "dogs/outdir": "link out of",
        "dogs/pipe.png": "not a regular file",
        "socket.png": "not a regular file",
    }
    assert set(reasons) == set(expected)
    for name, reason in expected.items():
        assert reason in reasons[name]
    assert data.report.duplicates == 3


def test_strange_names(tmp_path):
    names = [
        b"new\nline.png",
        b"bytes-\xff\xfe.png",
        b"a" * 251 + b".png",
        "\u00e9.png".encode(),
        "e\u0301.png".encode(),
        b"A.png",
        b"a.png",
    ]
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(saved(flat(colour=(number * 20, 0, 0)), "PNG"))
    (tmp_path / "bad\n\x1b[31m.png").write_bytes(b"no")
    data = opened(tmp_path)
    assert len(data) == len(names)
    text = "\n".join(data.report.lines())
    assert "\x1b" not in text
    assert "bad\\n\\x1b[31m.png" in text


def test_normal_forms_are_one_class(tmp_path):
    for number, form in enumerate(("NFC", "NFD")):
        place = tmp_path / unicodedata.normalize(form, "caf\u00e9")
        place.mkdir()
        (place / f"{number}.png").write_bytes(PNG)
    (tmp_path / "tea").mkdir()
    (tmp_path / "tea" / "2.png").write_bytes(PNG)
    assert opened(tmp_path).report.classes == {"caf\u00e9": 2, "tea": 1}


def test_vanished_and_unreadable_files_are_skipped(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.png").write_bytes(PNG)
    read = folder_module._read_file

    def failing(path, limit):
        if path.endswith("a.png"):
            os.unlink(path)
        if path.endswith("b.png"):
            raise PermissionError(13, "Permission denied")
        return read(path, limit)

    monkeypatch.setattr(folder_module, "_read_file", failing)
    report = opened(tmp_path).report
    assert report.skipped == (("a.png", "vanished while it was read"), ("b.png", "no permission to read it"))


def test_a_file_that_became_a_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OSError, match="not a regular file"):
        folder_module._read_file(str(tmp_path / "pipe.png"), 10)


def test_order_of_listing_does_not_matter(tree, monkeypatch, tmp_path_factory):
    first = opened(tree)
    scan = os.scandir

    class Shuffled:
        def __init__(self, path):
            with scan(path) as found:
                self.children = list(found)
            random.Random(7).shuffle(self.children)

        def __enter__(self):
            return iter(self.children)

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(folder_module.os, "scandir", Shuffled)
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path_factory.mktemp("other")))
    second = opened(tree)
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.samples, second.samples)
    assert first.report == second.report


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="empty"):
        opened(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        opened(tmp_path / "nowhere")
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"x")
    with pytest.raises(DataError, match="name the file itself"):
        opened(tmp_path)


def test_stop_ends_the_scan_and_leaves_no_files(tmp_path, cache):
    from sparring.data import StopRequested

    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(PNG)
    polls = iter(range(1000))
    with pytest.raises(StopRequested):
        open_data(DataConfig(source=str(tmp_path)), stop=lambda: next(polls) > 70)
    assert not list(cache.glob("sets/*"))


def test_progress_counts_to_the_end(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes(PNG)
    reports = []
    open_data(DataConfig(source=str(tmp_path)), progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (10, 10)
    assert reports == sorted(reports)
