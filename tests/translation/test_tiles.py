"""Large images in tiles come out as if they had been translated whole."""

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
    """Sees 5x5 pixels, and the mean and variance of all."""

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


def picture(height: int, width: int) -> np.ndarray:
    """Dark on the left, light on the right, with noise: tiles of their own statistics could not agree."""
    noise = np.random.default_rng(0).integers(0, 60, (height, width, 3))
    return (noise + np.linspace(0, 195, width)[None, :, None]).astype(np.uint8)


@pytest.mark.parametrize("size", [(100, 131), (48, 200), (7, 90), (49, 49)])
def test_tiles_of_a_pointwise_network_are_the_whole(machine, size):
    translation, given = between(Pointwise()), picture(*size)
    made = translate_tiled(translation, given, "a-to-b", TILING, machine)
    assert made.shape == (*size, 1)
    expected = translate_whole(translation, given[None], "a-to-b", machine)[0]
    assert np.abs(made.astype(int) - expected).max() <= 1


def seam(made: np.ndarray) -> float:
    """The greatest jump between the mean of a column and the next, beyond what the image itself has."""
    return float(np.abs(np.diff(made[..., 0].mean(0))).max())


def test_no_seams_where_a_network_normalises(machine, monkeypatch):
    translation, given = between(Normalised()), picture(64, 400)
    one = translate_tiled(translation, given, "a-to-b", Tiling(tile_size=64, overlap=16), machine)
    reference = translate_tiled(translation, given, "a-to-b", Tiling(tile_size=400, overlap=16), machine)
    inside = (slice(4, -4), slice(4, -4))
    assert np.abs(one[inside].astype(int) - reference[inside]).mean() < 1
    from contextlib import nullcontext

    monkeypatch.setattr(tiles_module, "fixed_statistics", lambda network, x: nullcontext())
    apart = translate_tiled(translation, given, "a-to-b", Tiling(tile_size=64, overlap=16), machine)
    assert np.abs(apart[inside].astype(int) - reference[inside]).mean() > 5, "the twin must be noticed"


def test_tiles_cover_all():
    for length in (16, 63, 64, 65, 1000):
        side = min(64, length)
        covered = np.zeros(length)
        for start in tile_starts(length, side, 16):
            assert 0 <= start <= length - side
            covered[start : start + side] += blend_weights(side, 16)
        assert covered.min() > 0


@pytest.mark.parametrize("size", [(1, 1), (40, 33), (90, 20)])
def test_any_size_comes_back_at_its_own(machine, size):
    translation = between(Pointwise())
    for manner in (TranslateOptions(), TranslateOptions(scale="keep"), TranslateOptions(scale=17)):
        assert translate_array(translation, picture(*size), "a-to-b", machine, manner).shape == (*size, 1)
    raw = translate_array(translation, picture(40, 80), "a-to-b", machine, TranslateOptions(raw=True))
    assert raw.shape == (32, 64, 1)


def test_a_way_that_was_not_learned_is_refused(machine):
    with pytest.raises(ConfigError, match="b-to-a"):
        translate_array(between(Pointwise()), picture(8, 8), "b-to-a", machine)
    with pytest.raises(ConfigError, match="scale"):
        TranslateOptions(scale="large")
