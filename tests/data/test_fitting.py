"""Choosing sizes, and resizing without aliases."""

import numpy as np
import pytest
from PIL import Image

from sparring.data import DataConfig, open_data
from sparring.data.images.resize import choose_size, fit_image


@pytest.mark.parametrize(
    ("sizes", "largest", "expected"),
    [
        ([(28, 28)] * 9, 64, (28, 28)),
        ([(48, 80)] * 9, 80, (48, 80)),
        ([(48, 80)] * 9, 64, (40, 64)),
        ([(256, 512)] * 3, 64, (32, 64)),
        ([(512, 256)] * 3, 64, (64, 32)),
        ([(1024, 1024)] * 3, 256, (256, 256)),
        ([(97, 103), (120, 110), (300, 280)], 64, (64, 64)),
        ([(7, 7)] * 2, 64, (7, 7)),
        ([(7, 7), (8, 8), (9, 9)], 64, (8, 8)),
        ([(1, 12000)], 64, (8, 64)),
        ([(5000, 1), (5000, 1)], 64, (64, 8)),
        ([(1, 1)], 64, (1, 1)),
        ([(1, 1), (2, 2)], 64, (2, 2)),
        ([(100, 100)], 2, (2, 2)),
    ],
)
def test_chosen_size(sizes, largest, expected):
    size, why = choose_size(sizes, largest)
    assert size == expected
    assert f"{size[0]}x{size[1]}" in why


def test_chosen_sizes_obey_the_rule():
    draw = np.random.default_rng(0)
    for _ in range(300):
        sizes = [tuple(int(side) for side in draw.integers(1, 400, 2)) for _ in range(draw.integers(1, 6))]
        largest = int(draw.integers(1, 128))
        (height, width), _ = choose_size(sizes, largest)
        assert 1 <= max(height, width) <= largest
        if len(set(sizes)) > 1:
            assert all(side <= 16 or side % 4 == 0 for side in (height, width))


@pytest.mark.parametrize("size", [(32, 32), (16, 16), (20, 12), (7, 5), (1, 1)])
@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_chequerboard_becomes_its_mean(size, fit):
    board = Image.fromarray((np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8))
    small = fit_image(board, size, 1, fit)
    inner = small[1:-1, 1:-1] if min(size) > 2 else small
    assert small.shape == (*size, 1)
    rows = [row for row in inner[..., 0] if not (fit == "pad" and np.all(row == row[0]))]
    assert np.abs(np.array(rows, float) - 127.5).max(initial=0) <= 3


def test_nearest_would_have_failed_that():
    """The sabotage twin: without antialiasing the board is black or white."""
    board = Image.fromarray((np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8))
    assert (
        np.abs(np.asarray(board.resize((16, 16), Image.Resampling.NEAREST)).astype(float) - 127.5).max() > 100
    )


def stripes(height, width):
    """Left third red, middle green, right third blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        pixels[:, width * channel // 3 : width * (channel + 1) // 3, channel] = 255
    return Image.fromarray(pixels)


def test_crop_keeps_the_centre():
    cut = fit_image(stripes(30, 90), (30, 30), 3, "crop")
    assert np.array_equal(cut, np.broadcast_to(np.uint8([0, 255, 0]), (30, 30, 3)))


def test_stretch_keeps_everything():
    assert np.abs(fit_image(stripes(30, 90), (30, 30), 3, "stretch").mean((0, 1)) - 85).max() < 1


def test_pad_fills_with_the_edge():
    original = Image.new("RGB", (60, 20), (9, 90, 200))
    original.paste((250, 0, 0), (20, 5, 40, 15))
    padded = fit_image(original, (30, 30), 3, "pad")
    assert np.array_equal(padded[0], np.broadcast_to(np.uint8([9, 90, 200]), (30, 3)))
    assert np.array_equal(padded[-1], padded[0])
    assert np.abs(padded[15, 15].astype(int) - (250, 0, 0)).max() < 6


def test_pad_colour_is_one_that_is_there():
    """Between a black and a white half there is no grey edge."""
    original = Image.new("RGB", (90, 30), (250, 240, 230))
    original.paste((0, 0, 0), (0, 0, 40, 30))
    assert fit_image(original, (30, 30), 3, "pad")[0, 0].tolist() == [250, 240, 230]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(48, 80), (5, 3), (1, 9)])
def test_shapes(size, channels, fit):
    for mode in ("L", "LA", "RGB", "RGBA"):
        for shape in ((1, 1), (50, 9), (9, 50), (1, 300)):
            assert fit_image(Image.new(mode, shape), size, channels, fit).shape == (*size, channels)


def test_same_size_is_untouched():
    pixels = np.random.default_rng(0).integers(0, 256, (13, 17, 3), np.uint8)
    for fit in ("crop", "pad", "stretch"):
        assert np.array_equal(fit_image(Image.fromarray(pixels), (13, 17), 3, fit), pixels)


def test_hidden_colours_do_not_bleed():
    """Where alpha is 0 the colour must not count, neither laid on white nor when RGBA is made smaller."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, ::2] = (0, 0, 255, 255)
    pixels[:, 1::2] = (255, 0, 0, 0)
    image = Image.fromarray(pixels)
    small = fit_image(image, (8, 8), 4, "crop").astype(int)
    assert np.abs(small[..., :3] - (0, 0, 255)).max() <= 2
    assert np.abs(small[1:-1, 1:-1, 3] - 127.5).max() <= 6
    assert fit_image(image, (8, 8), 3, "crop")[..., 0].max() <= 135


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([Image.new("L", (9, 9), 50)] * 3, 1),
        ([Image.new("RGB", (9, 9), (50, 50, 50))] * 3, 1),
        ([Image.new("L", (9, 9), 50)] * 5 + [Image.new("RGB", (9, 9), (200, 50, 50))], 3),
        ([Image.new("RGBA", (9, 9), (200, 50, 50, 255))] * 3, 3),
        ([Image.new("RGBA", (9, 9), (200, 50, 50, 90))] * 2 + [Image.new("RGB", (9, 9), (1, 2, 3))], 4),
        ([Image.new("RGBA", (9, 9), (200, 50, 50, 90))] + [Image.new("RGB", (9, 9), (99, 2, 3))] * 2, 3),
        ([Image.new("L", (9, 9), 50).convert("P")] * 2, 1),
    ],
)
def test_chosen_channels(tmp_path, images, expected):
    for number, image in enumerate(images):
        image.save(tmp_path / f"{number}.png")
    data = open_data(DataConfig(source=str(tmp_path)))
    assert data.config.channels == data.spec.shape[0] == expected
    assert any("channel" in why for why in data.report.why)


def test_size_not_square(tmp_path):
    stripes(30, 90).save(tmp_path / "a.png")
    data = open_data(DataConfig(source=str(tmp_path), size=(48, 80), fit="stretch"))
    assert data.spec.shape == (3, 48, 80)
    assert data.batch(np.array([0]))[0].shape == (1, 3, 48, 80)
