"""Sheets of samples: every image is where it should be."""

import numpy as np
import pytest

from sparring.data import DataConfig, contact_sheet, grid_image, open_data, points_image
from sparring.data.image_grid import FAKE_COLOUR, GAP
from sparring.data.readers.points import mixture_modes, sample_points


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_grid(channels):
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 20, channels), np.uint8)
    if channels == 4:
        images[..., 3] = 255
    grid = np.asarray(grid_image(images, 3)).reshape(3 * (56 + GAP) + GAP, 3 * (40 + GAP) + GAP, -1)
    for number, image in enumerate(images):
        top, left = GAP + number // 3 * (56 + GAP), GAP + number % 3 * (40 + GAP)
        tile = grid[top : top + 56, left : left + 40]
        assert np.array_equal(tile[::2, ::2], image[..., :3])
        assert np.array_equal(tile[1::2, 1::2], image[..., :3])
    assert (grid[:GAP] == 255).all()


def test_large_images_keep_their_size_and_none_is_fine():
    assert grid_image(np.zeros((1, 200, 100, 1), np.uint8), 8).size == (100 + 2 * GAP, 200 + 2 * GAP)
    assert grid_image(np.zeros((0, 28, 28, 1), np.uint8), 8).mode == "L"


def test_transparency_shows_paper():
    image = np.zeros((1, 64, 64, 4), np.uint8)
    grid = np.asarray(grid_image(image, 1))
    assert 200 < grid[GAP:-GAP, GAP:-GAP].mean() < 240


def test_contact_sheet_has_a_class_a_row():
    data = open_data(DataConfig(source="animals"))
    sheet = np.asarray(contact_sheet(data, 10, 4))
    tiles = sheet[GAP:, GAP:].reshape(10, 58, 4, 58)[:, :56, :, :56].transpose(0, 2, 1, 3)[..., ::2, ::2]
    for row in range(10):
        members = {sample.tobytes() for sample in data.samples[data.labels == row]}
        assert all(tiles[row, column].tobytes() in members for column in range(4))
    assert contact_sheet(data, 20, 4).size[1] > sheet.shape[0]


def test_contact_sheet_of_few_and_of_points(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 8, 8), np.uint8))
    assert contact_sheet(open_data(DataConfig(source=str(tmp_path / "a.npy"))), 4, 4).mode == "L"
    assert contact_sheet(open_data(DataConfig(source="ring")), 4, 4).size == (512, 512)


def dark_centres(image):
    """Centres of mass of the eight marks, in pixels."""
    ink = 255.0 - np.asarray(image.convert("L"))
    ink[[0, -1]] = ink[:, [0, -1]] = 0
    return ink


def test_points_are_drawn_in_place():
    means, _ = mixture_modes("ring")
    ink = dark_centres(points_image(means))
    side = 512 / (2 * 1.16)
    for x, y in means:
        column, row = 256 + x * side, 256 - y * side
        window = ink[round(row) - 8 : round(row) + 9, round(column) - 8 : round(column) + 9]
        rows, columns = np.indices(window.shape)
        assert window.sum() > 500
        assert (rows * window).sum() / window.sum() + round(row) - 8 + 0.5 == pytest.approx(row, abs=0.8)
        assert (columns * window).sum() / window.sum() + round(column) - 8 + 0.5 == pytest.approx(
            column, abs=0.8
        )
        ink[round(row) - 8 : round(row) + 9, round(column) - 8 : round(column) + 9] = 0
    assert ink.sum() == pytest.approx(0, abs=200)


def test_up_is_up_and_generated_is_coloured():
    real = sample_points("ring", 1000)
    image = np.asarray(points_image(np.array([[0.0, 1.0]]), real)).astype(int)
    near = np.abs(image - FAKE_COLOUR).sum(2) < 150
    rows, columns = np.nonzero(near)
    assert len(rows)
    assert rows.max() < 60
    assert abs(columns.mean() - 256) < 3


def test_odd_points_do_no_harm():
    for points in (
        np.empty((0, 2)),
        np.full((3, 2), np.nan),
        np.array([[1e30, 0], [0, 0]]),
        np.zeros((5, 3)),
    ):
        assert points_image(points).size == (512, 512)
        assert points_image(points, sample_points("ring", 100)).size == (512, 512)
