"""Translation in tiles gives the same result as translation of the whole image, and any size is restored."""

import numpy as np
import pytest
import torch
from torch import nn

from sparring.core import runtime
from sparring.core.errors import ConfigError
from sparring.core.shapes import SampleSpec
from sparring.inference import Tiling, TranslateOptions, translate_array
from sparring.inference import tiling as tiles_module
from sparring.inference.tiling import blend_weights, tile_starts, translate_tiled, translate_whole
from sparring.models.translator import TranslatorModel
from sparring.parts.networks.layers.instance_norm import InstanceNorm

TILING = Tiling(tile_size=48, overlap=16)


class Pointwise(nn.Module):
    multiple = 4

    def forward(self, x):
        return -x.mean(1, keepdim=True)


class Normalised(nn.Module):
    """A receptive field of 5x5 pixels, and normalisation by the mean and variance of the whole image."""

    multiple = 1

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.last = (
            nn.Conv2d(3, 8, 3, padding=1),
            InstanceNorm(8),
            nn.Conv2d(8, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.last(self.norm(self.first(x)).relu()).tanh()


@pytest.fixture(scope="module")
def machine():
    return runtime.start_runtime("cpu", "fp32", images=True)


def between(network: nn.Module) -> TranslatorModel:
    return TranslatorModel(network, None, SampleSpec(shape=(3, 32, 32), shape_b=(1, 32, 32))).eval()


def gradient_image(height: int, width: int) -> np.ndarray:
    """Dark on the left and light on the right, with noise: the statistics of its tiles differ."""
    noise = np.random.default_rng(0).integers(0, 60, (height, width, 3))
    return (noise + np.linspace(0, 195, width)[None, :, None]).astype(np.uint8)


@pytest.mark.parametrize("size", [(100, 131), (48, 200), (7, 90), (49, 49)])
def test_tiles_of_a_pointwise_network_equal_the_whole(machine, size):
    translator, image = between(Pointwise()), gradient_image(*size)
    output = translate_tiled(translator, image, "a-to-b", TILING, machine)
    assert output.shape == (*size, 1)
    expected = translate_whole(translator, image[None], "a-to-b", machine)[0]
    assert np.abs(output.astype(int) - expected).max() <= 1


def test_no_seams_where_a_network_normalises(machine, monkeypatch):
    translator, image = between(Normalised()), gradient_image(64, 400)
    tiled = translate_tiled(translator, image, "a-to-b", Tiling(tile_size=64, overlap=16), machine)
    reference = translate_tiled(translator, image, "a-to-b", Tiling(tile_size=400, overlap=16), machine)
    inside = (slice(4, -4), slice(4, -4))
    assert np.abs(tiled[inside].astype(int) - reference[inside]).mean() < 1
    from contextlib import nullcontext

    monkeypatch.setattr(tiles_module, "fixed_statistics", lambda network, x: nullcontext())
    sabotaged = translate_tiled(translator, image, "a-to-b", Tiling(tile_size=64, overlap=16), machine)
    assert np.abs(sabotaged[inside].astype(int) - reference[inside]).mean() > 5, (
        "without shared statistics the tiles must differ"
    )


def test_tiles_cover_every_pixel():
    for length in (16, 63, 64, 65, 1000):
        side = min(64, length)
        covered = np.zeros(length)
        for start in tile_starts(length, side, 16):
            assert 0 <= start <= length - side
            covered[start : start + side] += blend_weights(side, 16)
        assert covered.min() > 0


@pytest.mark.parametrize("size", [(1, 1), (40, 33), (90, 20)])
def test_any_size_is_restored(machine, size):
    translator = between(Pointwise())
    for options in (TranslateOptions(), TranslateOptions(scale="keep"), TranslateOptions(scale=17)):
        assert translate_array(translator, gradient_image(*size), "a-to-b", machine, options).shape == (
            *size,
            1,
        )
    raw = translate_array(translator, gradient_image(40, 80), "a-to-b", machine, TranslateOptions(raw=True))
    assert raw.shape == (32, 64, 1)


def test_an_untrained_direction_and_an_unknown_scale_are_errors(machine):
    with pytest.raises(ConfigError, match="b-to-a"):
        translate_array(between(Pointwise()), gradient_image(8, 8), "b-to-a", machine)
    with pytest.raises(ConfigError, match="scale"):
        TranslateOptions(scale="large")
