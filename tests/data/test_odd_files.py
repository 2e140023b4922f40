"""Every odd file becomes the right image or is skipped with its reason; never a traceback, never a white image."""

import random
import time

import numpy as np
import pytest

from sparring.core.errors import DataError, InvalidImageError
from sparring.data import DataConfig, open_data
from sparring.data.images.decode import decode, read_header
from sparring.data.images.resize import fit_image
from tests.helpers import odd_files

pytestmark = pytest.mark.filterwarnings("ignore")  # decoders warn; `open_data` keeps that from the user
GOOD, BAD = odd_files.good(), odd_files.bad()


def by_name(odd):
    return odd.name


def test_there_are_enough_of_them():
    assert len(GOOD) + len(BAD) + 16 >= 80


@pytest.mark.parametrize("odd", GOOD, ids=by_name)
def test_good_odd_file(odd):
    header, opened = read_header(odd.data)
    image, note = decode(odd.data)
    assert (image.height, image.width) == (header.height, header.width) == odd.size
    assert odd.note in note
    assert np.array_equal(np.asarray(decode(opened)[0]), np.asarray(image))
    mean = fit_image(image, odd.size, 3, "crop").mean((0, 1))
    assert np.abs(mean - odd.colour).max() <= odd.within, (mean, odd.colour)


@pytest.mark.parametrize("odd", BAD, ids=by_name)
def test_bad_file_is_refused_quickly(odd):
    start = time.process_time()
    with pytest.raises(InvalidImageError, match=odd.reason):
        decode(odd.data)
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(kind, orientation):
    data = odd_files.with_orientation(kind, orientation)
    image, note = decode(data)
    pixels = np.asarray(odd_files.quadrants()).astype(int)
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels, 1),
    }

    got = np.asarray(image.convert("RGB")).astype(int)
    assert got.shape == turned[orientation].shape
    quarter = got.shape[0] // 4, got.shape[1] // 4
    for row in (quarter[0], 3 * quarter[0]):
        for column in (quarter[1], 3 * quarter[1]):
            assert np.abs(got[row, column] - turned[orientation][row, column]).max() < 40
    header, _ = read_header(data)
    assert (header.height, header.width) == got.shape[:2]


def test_whole_folder_is_accounted_for(tmp_path):
    for odd in GOOD + BAD:
        (tmp_path / odd.name).write_bytes(odd.data)
    data = open_data(DataConfig(source=str(tmp_path), size=(16, 16)))
    assert len(data) == data.report.count == len(GOOD)
    assert {name for name, _ in data.report.skipped} == {odd.name for odd in BAD}
    assert all(reason for _, reason in data.report.skipped)
    noted = dict(data.report.converted)
    assert {odd.name for odd in GOOD if odd.note} <= set(noted)
    assert data.spec.shape == (3, 16, 16)
    for position, odd in enumerate(sorted(GOOD, key=by_name)):
        assert np.abs(data.samples[position].mean((0, 1)) - odd.colour).max() <= odd.within + 12, odd.name
    assert "skipped" in "\n".join(data.report.lines())


def test_the_error_without_usable_files_lists_them(tmp_path):
    for odd in BAD:
        (tmp_path / odd.name).write_bytes(odd.data)
    with pytest.raises(DataError, match="nothing usable in .* files") as caught:
        open_data(DataConfig(source=str(tmp_path)))
    assert "not an image" in str(caught.value)


def test_mutated_files_raise_nothing_else():
    """Bytes flipped, cut out and put in: images or InvalidImageError, and nothing slow."""
    draw = random.Random(0)
    sources = [odd.data for odd in GOOD if 0 < len(odd.data) < 5000]
    slowest, refused = 0.0, 0
    for _ in range(2000):
        data = bytearray(draw.choice(sources))
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(data))
            kind = draw.randrange(3)
            if kind == 0:
                data[place] = draw.randrange(256)
            elif kind == 1 and len(data) > 20:
                del data[place : place + draw.randint(1, 12)]
            else:
                data[place:place] = draw.randbytes(draw.randint(1, 8))
            data = data or bytearray(b"x")
        start = time.process_time()
        try:
            read_header(bytes(data))
            image, _ = decode(bytes(data))
            assert image.mode in ("L", "LA", "RGB", "RGBA")
        except InvalidImageError:
            refused += 1
        slowest = max(slowest, time.process_time() - start)
    assert refused > 500
    assert slowest < 1
