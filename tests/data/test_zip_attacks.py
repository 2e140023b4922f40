"""Zips: the same as the folder, and nothing that a zip's directory claims is believed."""

import io
import json
import struct
import time
import zipfile

import numpy as np
import pytest

from sparring.core.errors import DataError
from sparring.data import DataConfig, open_data
from sparring.data.readers.zip import Zip
from tests.helpers.odd_files import flat, saved

PNG = saved(flat(), "PNG")
OTHER = saved(flat(colour=(0, 0, 255)), "PNG")


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def opened(path, **settings):
    return open_data(DataConfig(source=str(path), **settings))


def test_zip_equals_folder(tmp_path):
    members = [("cats/1.png", PNG), ("cats/2.png", OTHER), ("dogs/1.png", PNG)]
    path = zipped(tmp_path / "a.zip", [(f"wrapped/{name}", data) for name, data in members])
    root = tmp_path / "folder"
    for name, data in members:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    one, two = opened(path), opened(root)
    assert np.array_equal(one.samples, two.samples)
    assert np.array_equal(one.labels, two.labels)
    assert one.classes == two.classes == ("cats", "dogs")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.png", "leads out"),
        ("a/../../out.png", "leads out"),
        ("/etc/out.png", "leads out"),
        ("C:/out.png", "leads out"),
        ("a\\..\\out.png", "leads out"),
        ("__MACOSX/._a.png", "system"),
        ("more.zip", "zip inside"),
        ("notes.txt", "not an image by its name"),
    ],
)
def test_names(tmp_path, name, reason):
    data = opened(zipped(tmp_path / "a.zip", [("good.png", PNG), (name, OTHER)]))
    assert len(data) == 1
    assert len(data.report.skipped) == 1
    assert reason in data.report.skipped[0][1]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_second_of_a_name_is_skipped(tmp_path):
    data = opened(zipped(tmp_path / "a.zip", [("a.png", PNG), ("a.png", OTHER)]))
    assert data.report.skipped == (("a.png", "a second file of this name"),)
    assert np.abs(data.samples[0].mean((0, 1)) - (200, 100, 40)).max() < 1


def test_encrypted_members(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.png", PNG), ("b.png", OTHER)])
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    path.write_bytes(data)
    assert opened(path).report.skipped == (("b.png", "encrypted"),)


def test_links_are_not_followed(tmp_path):
    info = zipfile.ZipInfo("link.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.png", PNG)
        file.writestr(info, "/etc/passwd")
    assert opened(tmp_path / "a.zip").report.skipped == (("link.png", "a link"),)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    zeros = bytes(100 * 2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("a.png", PNG)
        file.writestr("zeros.png", zeros)
    path = tmp_path / "a.zip"
    patched = bytearray(path.read_bytes())
    start = time.process_time()
    report = opened(path).report
    assert time.process_time() - start < 0.5
    assert report.skipped[0][0] == "zeros.png"
    assert "not an image" in report.skipped[0][1]
    container = Zip(path, lambda: None)
    assert len(container.read(container.entries[1])) <= 16
    place = patched.rindex(b"PK\x01\x02")
    patched[place + 24 : place + 28] = struct.pack("<I", 2**31)
    path.write_bytes(patched)
    assert "larger than" in opened(path).report.skipped[0][1]


def test_claimed_size_is_not_believed(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.png", PNG), ("b.png", OTHER)], compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 200 * 2**20)
    path.write_bytes(data)
    assert opened(path).report.skipped == (("b.png", "claims an impossible size"),)


def test_overlapping_members(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.png", PNG), ("b.png", OTHER), ("c.png", PNG)])
    data = bytearray(path.read_bytes())
    last = data.rindex(b"PK\x01\x02")
    data[last + 42 : last + 46] = struct.pack("<I", 0)  # c.png points at a.png's data
    path.write_bytes(data)
    report = opened(path).report
    assert report.count == 1
    assert {reason for _, reason in report.skipped} == {"overlaps another member"}


def test_damaged_member_is_skipped(tmp_path):
    noise = saved(flat(size=(64, 64)), "BMP")
    path = zipped(tmp_path / "a.zip", [("a.bmp", noise), ("b.bmp", noise)])
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF
    path.write_bytes(data)
    report = opened(path).report
    assert report.count == 1
    assert "damaged in the zip" in dict(report.skipped)["a.bmp"]


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a zip"):
        opened(tmp_path / "a.zip")


def test_zip_of_zips(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("a.png", PNG)
    with pytest.raises(DataError, match="zip inside"):
        opened(zipped(tmp_path / "a.zip", [("inner.zip", inner.getvalue())]))


def test_stylegan_layout(tmp_path):
    members = [(f"00000/img{number:08d}.png", PNG) for number in range(4)]
    pairs = [[name, 6 if number % 2 else 12] for number, (name, _) in enumerate(members)]
    data = opened(zipped(tmp_path / "a.zip", [*members, ("dataset.json", json.dumps({"labels": pairs}))]))
    assert data.classes == ("6", "12")
    assert data.labels.tolist() == [1, 0, 1, 0]
    none = opened(zipped(tmp_path / "b.zip", [*members, ("dataset.json", '{"labels": null}')]))
    assert none.labels is None
    assert none.spec.num_classes == 0
    bare = opened(zipped(tmp_path / "c.zip", [*members, ("00001/img00000004.png", PNG)]))
    assert bare.labels is None
