"""npz, npy and idx files: layouts, ranges, labels, and what is wrong with the wrong ones."""

import gzip
import io
import struct
import time
import zipfile

import numpy as np
import pytest

from sparring.core.errors import DataError
from sparring.data import DataConfig, StopRequested, open_data

BYTES = np.random.default_rng(0).integers(0, 256, (6, 9, 7, 3), np.uint8)
GREY = BYTES[..., 0].copy()


def opened(path, **settings):
    return open_data(DataConfig(source=str(path), **settings))


def num_finite(tmp_path, array, **settings):
    np.save(tmp_path / "a.npy", array)
    return opened(tmp_path / "a.npy", **settings)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (BYTES, BYTES),
        (np.ascontiguousarray(BYTES.transpose(0, 3, 1, 2)), BYTES),
        (GREY, GREY[..., None]),
        (GREY[..., None], GREY[..., None]),
        (GREY[:, None], GREY[..., None]),
        (BYTES.astype(np.float32), BYTES),
        (BYTES / 255.0, BYTES),
        ((BYTES / 127.5 - 1).astype(np.float32), BYTES),
        (BYTES.astype(np.uint16) * 257, BYTES),
        (BYTES.astype(np.uint16), BYTES),
        (BYTES.astype(">u2") * 257, BYTES),
        (BYTES.astype(np.int64), BYTES),
        (GREY > 127, np.where(GREY > 127, 255, 0)[..., None].astype(np.uint8)),
    ],
)
def test_layouts_and_ranges(tmp_path, array, expected):
    data = num_finite(tmp_path, array)
    assert np.array_equal(data.samples, expected)
    assert data.report.kind == "array"
    assert bool(data.report.converted) == (array.dtype != np.uint8)


def test_sixteen_bits_keep_their_mean(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (4, 8, 8)).astype(np.uint16)
    assert num_finite(tmp_path, values).samples.mean() == pytest.approx(values.mean() / 257, abs=0.1)


def test_samples_that_are_not_finite_are_skipped(tmp_path):
    values = (BYTES / 255.0).astype(np.float32)
    values[2, 0, 0, 0] = np.nan
    data = num_finite(tmp_path, values)
    assert np.array_equal(data.samples, np.delete(BYTES, 2, 0))
    assert data.report.skipped == (("sample 2", "holds values that are not finite"),)


def test_npz_names_labels_and_classes(tmp_path):
    labels = np.array([2, 0, 1, 2, 0, 1])
    for images, name in (("images", "labels"), ("x", "y")):
        np.savez_compressed(tmp_path / "a.npz", **{images: BYTES, name: labels})
        data = opened(tmp_path / "a.npz")
        assert data.classes == ("0", "1", "2")
        assert data.labels.tolist() == labels.tolist()
    np.savez(tmp_path / "b.npz", images=BYTES, labels=labels, classes=np.array(["zoo", "ant", "bee"]))
    with_names = opened(tmp_path / "b.npz")
    assert [with_names.classes[label] for label in with_names.labels] == [
        "bee",
        "zoo",
        "ant",
        "bee",
        "zoo",
        "ant",
    ]
    np.savez(tmp_path / "c.npz", images=BYTES, labels=np.array(list("aabbcc")))
    assert opened(tmp_path / "c.npz").classes == ("a", "b", "c")
    some = opened(f"{tmp_path}/c.npz:a,c")
    assert np.array_equal(some.samples, BYTES[[0, 1, 4, 5]])
    assert some.labels.tolist() == [0, 0, 1, 1]


def test_resizing_and_channels(tmp_path):
    assert num_finite(tmp_path, BYTES, size=(4, 6), channels=1).spec.shape == (1, 4, 6)
    assert num_finite(tmp_path, GREY, channels=3).spec.shape == (3, 9, 7)
    big = np.zeros((2, 300, 500), np.uint8)
    assert num_finite(tmp_path, big).spec.shape == (1, 300, 500)


def idx(array) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("packed", [True, False])
def test_idx_with_labels_beside(tmp_path, packed):
    labels = np.array([7, 3, 7, 3, 3, 7], np.uint8)
    suffix, pack = (".gz", gzip.compress) if packed else ("", bytes)
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(pack(idx(GREY)))
    assert opened(path).labels is None
    (tmp_path / f"train-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    data = opened(path)
    assert data.report.kind == "idx"
    assert np.array_equal(data.samples[..., 0], GREY)
    assert data.classes == ("3", "7")
    assert data.labels.tolist() == [1, 0, 1, 0, 0, 1]
    assert len(opened(f"{path}:3")) == 3


def test_points_with_labels(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 3))
    points[7] = np.inf
    np.savez(tmp_path / "a.npz", x=points, y=np.arange(50) % 2)
    data = opened(tmp_path / "a.npz")
    assert data.samples.dtype == np.float32
    assert data.spec.shape == (3,)
    assert len(data) == 49
    assert data.labels.tolist() == [number % 2 for number in range(50) if number != 7]


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + body


HOSTILE = {
    "nothing": b"",
    "text": b"hello",
    "object": npy(
        "{'descr': '|O', 'fortran_order': False, 'shape': (3, 4, 4), }", b"cos\nsystem\n(S'true'\ntR."
    ),
    "huge": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 8, 8), }", b"abc"),
    "huge image": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 10000000, 10000000), }", b"abc"),
    "negative": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 8, 8), }", b"abc"),
    "columns": npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }", bytes(8)),
    "code": npy("__import__('os').system('true')"),
    "short": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9, 8, 8), }", bytes(70)),
    "one axis": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", bytes(9)),
    "two axes of bytes": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 3), }", bytes(9)),
    "no axis": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", bytes(1)),
    "two channels": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, 2), }", bytes(8)),
    "empty": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 2, 2), }"),
    "complex": npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 2, 2), }", bytes(32)),
    "records": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2, 2), }", bytes(32)),
    "empty images": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (5, 0, 2), }"),
    "wild values": npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2), }", struct.pack("<2f", -500, 1e30)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_npy(tmp_path, name):
    (tmp_path / "a.npy").write_bytes(HOSTILE[name])
    with pytest.raises(DataError):
        opened(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as file:
        file.writestr("images.npy", HOSTILE[name])
    with pytest.raises(DataError):
        opened(tmp_path / "b.npz")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\x08", b"\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\x07\x03"],
)
def test_hostile_idx(tmp_path, content):
    for name, data in (
        ("a-idx3-ubyte", content),
        ("b-idx3-ubyte.gz", content),
        ("c-idx3-ubyte.gz", gzip.compress(content)),
    ):
        (tmp_path / name).write_bytes(data)
        start = time.process_time()
        with pytest.raises(DataError):
            opened(tmp_path / name)
        assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "labels", [np.arange(5), np.zeros((6, 3)), np.full(6, 0.5), np.full(6, np.nan), np.full(6, None)]
)
def test_labels_that_do_not_fit(tmp_path, labels):
    np.savez(tmp_path / "a.npz", images=BYTES, labels=labels)
    with pytest.raises(DataError):
        opened(tmp_path / "a.npz")
    assert opened(tmp_path / "a.npz", labels=False).labels is None


def test_npz_without_images(tmp_path):
    np.savez(tmp_path / "a.npz", pics=BYTES)
    with pytest.raises(DataError, match="images, points or x"):
        opened(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK nonsense")
    with pytest.raises(DataError, match="can't be read"):
        opened(tmp_path / "b.npz")
    (tmp_path / "c.bin").write_bytes(io.BytesIO(b"x").read())
    with pytest.raises(DataError, match="none of the known"):
        opened(tmp_path / "c.bin")


def test_fingerprint_of_arrays(tmp_path):
    labels = np.arange(6) % 2
    np.savez(tmp_path / "a.npz", images=BYTES, labels=labels)
    first = opened(tmp_path / "a.npz").fingerprint
    assert opened(tmp_path / "a.npz").fingerprint == first
    np.savez(tmp_path / "a.npz", images=BYTES, labels=1 - labels)
    assert opened(tmp_path / "a.npz").fingerprint != first
    changed = BYTES.copy()
    changed[3, 2, 1, 0] ^= 1
    np.savez(tmp_path / "a.npz", images=changed, labels=labels)
    assert opened(tmp_path / "a.npz").fingerprint != first


def test_stop_ends_the_reading(tmp_path):
    np.save(tmp_path / "a.npy", BYTES)
    polls = iter(range(100))
    with pytest.raises(StopRequested):
        open_data(DataConfig(source=str(tmp_path / "a.npy")), stop=lambda: next(polls) > 3)
