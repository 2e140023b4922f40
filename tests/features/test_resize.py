"""The resize is Pillow's on float channels, and a resize without antialias is noticed."""

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.features.resize import resize, to_nchw, to_rgb

SIZES = [(32, 32, 224, 224), (500, 333, 224, 224), (64, 64, 32, 32), (28, 31, 224, 200), (100, 300, 150, 150)]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def pillow(image: np.ndarray, height: int, width: int) -> np.ndarray:
    image = Image.fromarray(image[..., 0].astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 255)


@pytest.mark.parametrize("sizes", SIZES)
def test_it_is_pillows_on_floats(sizes: tuple[int, int, int, int]) -> None:
    height, width, *new = sizes
    images = noise(2, height, width, 1)
    ours = resize(to_nchw(images), *new)
    assert ours.shape == (2, 1, *new)
    for our, image in zip(ours[:, 0].numpy(), images, strict=True):
        assert np.abs(our - pillow(image, *new)).max() < 1e-3


def test_without_antialias_it_is_another() -> None:
    """The same test must notice the mistake that it is there for."""
    image = noise(1, 500, 333, 1)
    aliased = torch.nn.functional.interpolate(to_nchw(image), (224, 224), mode="bicubic")
    assert np.abs(aliased[0, 0].numpy().clip(0, 255) - pillow(image[0], 224, 224)).max() > 20


def test_constants_stay_and_nothing_overshoots() -> None:
    assert torch.allclose(resize(torch.full((1, 1, 7, 9), 200.0), 30, 4), torch.tensor(200.0))
    edge = torch.zeros(1, 1, 8, 8)
    edge[..., 4:] = 255
    grown = resize(edge, 40, 40)
    assert (grown.min(), grown.max()) == (0, 255)


def test_channels() -> None:
    grey, rgba = noise(1, 4, 4, 1), noise(1, 4, 4, 4)
    assert (to_rgb(grey)[:, 2] == to_rgb(grey)[:, 0]).all()
    rgba[..., 3] = 0
    assert (to_rgb(rgba) == 255).all()
    rgba[..., 3] = 255
    assert np.array_equal(to_rgb(rgba).permute(0, 2, 3, 1).numpy(), rgba[..., :3])
