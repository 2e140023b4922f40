"""The cache of decoded samples: used again, checked, rebuilt when damaged, safe for two at once."""

import concurrent.futures
import json
import multiprocessing
import os

import numpy as np
import pytest

from sparring.core.errors import DataError
from sparring.data import DataConfig, open_data
from sparring.data import cache as cache_module
from sparring.data.cache import cache_roots, read_checksummed_json, write_checksummed_json
from sparring.data.readers import image_folder
from tests.helpers.odd_files import flat, saved


@pytest.fixture
def root(tmp_path):
    for number in range(20):
        place = tmp_path / "set" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(saved(flat(colour=(number * 10, 0, 0)), "PNG"))
    (tmp_path / "set" / "a" / "cut.png").write_bytes(saved(flat(), "PNG")[:-30])
    return tmp_path / "set"


def opened(path, **settings):
    return open_data(DataConfig(source=str(path), **settings))


def folder_of(place):
    (found,) = [path for path in (place / "sets").iterdir() if not path.name.startswith(".")]
    return found


def forbid_decoding(monkeypatch):
    def fail(*arguments):
        raise AssertionError("decoded again")

    monkeypatch.setattr(image_folder, "decode", fail)


def test_second_time_nothing_is_decoded(root, cache, monkeypatch):
    first = opened(root)
    forbid_decoding(monkeypatch)
    second = opened(root)
    assert isinstance(second.samples, np.memmap)
    assert not second.samples.flags.writeable
    assert np.array_equal(first.samples, second.samples)
    assert first.report == second.report
    assert first.fingerprint == second.fingerprint
    assert dict(second.report.skipped) == {"a/cut.png": "truncated"}
    assert len(list((cache / "sets").iterdir())) == 1


def flip_a_sample(place):
    data = bytearray((place / "samples.bin").read_bytes())
    data[777] ^= 1
    (place / "samples.bin").write_bytes(data)


def cut_samples(place):
    (place / "samples.bin").write_bytes((place / "samples.bin").read_bytes()[:-1])


def drop_samples(place):
    (place / "samples.bin").unlink()


def drop_header(place):
    (place / "header.json").unlink()


def change_header(place):
    text = (place / "header.json").read_text()
    (place / "header.json").write_text(text.replace('"duplicates":0', '"duplicates":9'))


def cut_header(place):
    (place / "header.json").write_bytes((place / "header.json").read_bytes()[:100])


def other_key(place):
    document = read_checksummed_json(place / "header.json")
    write_checksummed_json(place / "header.json", {**document, "key": "0" * 64})


@pytest.mark.parametrize(
    "damage", [flip_a_sample, cut_samples, drop_samples, drop_header, change_header, cut_header, other_key]
)
def test_damage_is_noticed_and_fixed(root, cache, damage, monkeypatch):
    first = opened(root)
    samples, report = np.array(first.samples), first.report
    damage(folder_of(cache))
    second = opened(root)
    assert np.array_equal(second.samples, samples)
    assert second.report == report
    assert len(list((cache / "sets").iterdir())) == 1
    forbid_decoding(monkeypatch)
    assert np.array_equal(opened(root).samples, samples)


def test_forbidding_works(root, monkeypatch):
    """The sabotage twin of the tests above."""
    forbid_decoding(monkeypatch)
    with pytest.raises(AssertionError):
        opened(root)


def test_a_failed_build_leaves_nothing(root, cache, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("stopped")

    monkeypatch.setattr(image_folder, "fit_image", fail)
    with pytest.raises(RuntimeError):
        opened(root)
    assert not list((cache / "sets").iterdir())


def test_threads_building_at_once(root, cache):
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: np.array(opened(root).samples), range(12)))
    assert all(np.array_equal(samples, found[0]) for samples in found)
    assert len(list((cache / "sets").iterdir())) == 1


def total(path, answers):
    answers.put(int(opened(path).samples.sum()))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # newer Pythons dislike fork beside threads
def test_processes_building_at_once(root, cache):
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    work = [context.Process(target=total, args=(root, answers)) for _ in range(4)]
    for process in work:
        process.start()
    got = [answers.get(timeout=60) for _ in work]
    for process in work:
        process.join(60)
    assert [process.exitcode for process in work] == [0] * 4
    assert set(got) == {int(opened(root).samples.sum())}
    assert len(list((cache / "sets").iterdir())) == 1


def test_a_place_that_cannot_be_written_to(root, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("SPARRING_CACHE", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = opened(root)
    assert len(data) == 20
    assert any("can't be used" in why for why in data.report.why)


def test_no_room_anywhere(root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "_build", full)
    with pytest.raises(DataError, match="No space left"):
        opened(root)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_roots()[0] == tmp_path / "a"
    monkeypatch.delenv("SPARRING_CACHE")
    assert cache_roots()[0] == tmp_path / "b" / "sparring"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_roots()[0] == tmp_path / ".cache" / "sparring"


def test_checked_files(tmp_path):
    path = tmp_path / "a.json"
    write_checksummed_json(path, {"a": [1, 2]})
    assert read_checksummed_json(path) == {"a": [1, 2]}
    data = path.read_bytes()
    for place in range(0, len(data), 5):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert read_checksummed_json(path) is None
    path.write_text(json.dumps({}))
    assert read_checksummed_json(path) is None
    assert [entry.name for entry in os.scandir(tmp_path)] == ["a.json"]


def test_leftovers_of_killed_builds_are_removed(root, cache):
    old, young = cache / "sets" / ".tmp-old", cache / "sets" / ".tmp-young"
    for place in (old, young):
        place.mkdir(parents=True)
    os.utime(old, (0, 0))
    opened(root)
    assert not old.exists()
    assert young.exists()


def test_long_tables_are_cut_in_the_report(tmp_path):
    for side in range(1, 31):
        (tmp_path / f"{side}.png").write_bytes(saved(flat(size=(side, 9)), "PNG"))
    report = opened(tmp_path).report
    assert len(report.sizes) == 30
    assert any(line.startswith("sizes") and line.endswith("and 20 more") for line in report.lines())
    assert json.loads(json.dumps(report.as_dict()))["count"] == 30
