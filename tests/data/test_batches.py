"""Batches hold exactly the samples' values, and what is made of them goes back exactly."""

import doctest
import importlib
import json
import pkgutil

import numpy as np
import pytest
import torch

import sparring.data
from sparring.data import DataConfig, open_data, shuffled_indices, to_output


@pytest.fixture
def array_set(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (10, 5, 7, 3), np.uint8)
    np.savez(tmp_path / "a.npz", images=values, labels=np.arange(10) % 3)
    return values, open_data(DataConfig(source=str(tmp_path / "a.npz")))


def test_values_are_exact(array_set):
    values, data = array_set
    x, y = data.batch(np.array([3, 1, 3]))
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    assert y.tolist() == [0, 1, 0]
    expected = values[[3, 1, 3]].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - np.float32(1)
    assert np.array_equal(x.numpy(), expected)
    assert x.min() >= -1
    assert x.max() <= 1


def test_memory_is_channels_last(array_set):
    x, _ = array_set[1].batch(np.arange(4))
    assert x.shape == (4, 3, 5, 7)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_every_grey_level_comes_back(array_set):
    values, data = array_set
    x, _ = data.batch(torch.arange(10))
    assert np.array_equal(data.to_uint8(x), values)
    assert np.array_equal(to_output(x, data.spec, {}), values)
    levels = torch.arange(256, dtype=torch.float32).div(127.5).sub(1).view(1, 1, 16, 16)
    assert to_output(
        levels, sparring.data.dataset.SampleSpec(shape=(1, 16, 16)), {}
    ).ravel().tolist() == list(range(256))


def test_out_of_range_is_cut(array_set):
    data = array_set[1]
    assert data.to_uint8(torch.full((1, *data.spec.shape), 9.0)).min() == 255
    assert data.to_uint8(torch.full((1, *data.spec.shape), -9.0)).max() == 0


def test_flips_mirror_their_rows_only(array_set):
    data = array_set[1]
    plain, _ = data.batch(np.arange(4))
    flipped, _ = data.batch(np.arange(4), torch.tensor([True, False, False, True]))
    assert torch.equal(flipped[0], plain[0].flip(-1))
    assert torch.equal(flipped[1:3], plain[1:3])
    assert torch.equal(flipped[3], plain[3].flip(-1))
    assert torch.equal(data.batch(np.arange(4))[0], plain)


def test_the_samples_are_not_changed_by_use(array_set):
    values, data = array_set
    x, _ = data.batch(shuffled_indices(0, len(data), 0, 10), torch.ones(10, dtype=torch.bool))
    x.fill_(0)
    assert np.array_equal(data.samples, values)


def test_points_are_standardised_without_bending(tmp_path):
    points = np.random.default_rng(0).normal((5, -3), (4, 1), (2000, 2)).astype(np.float32)
    np.save(tmp_path / "p.npy", points)
    data = open_data(DataConfig(source=str(tmp_path / "p.npy")))
    x, y = data.batch(np.arange(2000))
    assert y is None
    assert data.spec.shape == (2,)
    assert not data.spec.is_image
    assert x.mean(0).abs().max() < 1e-5
    assert x.square().mean().item() == pytest.approx(1, abs=1e-4)
    assert data.scale[0] == data.scale[1] == pytest.approx((points - points.mean(0)).std(), rel=1e-4)
    units = json.loads(json.dumps(data.units))
    assert to_output(x, data.spec, units) == pytest.approx(points, abs=1e-5)
    assert data.points(x).dtype == np.float32


def test_equal_points_do_not_divide_by_zero(tmp_path):
    np.save(tmp_path / "p.npy", np.ones((5, 3), np.float32))
    data = open_data(DataConfig(source=str(tmp_path / "p.npy")))
    assert data.batch(np.arange(5))[0].abs().max() == 0
    assert data.report.duplicates == 4


@pytest.mark.parametrize(
    "module", sorted(found.name for found in pkgutil.walk_packages(sparring.data.__path__, "sparring.data."))
)
def test_doctests(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_doctests_of_the_packages_inside_are_run():
    names = {found.name for found in pkgutil.walk_packages(sparring.data.__path__, "sparring.data.")}
    assert {
        "sparring.data.readers.domains",
        "sparring.data.images.resize",
        "sparring.data.synthetic.polygons",
    } <= names
