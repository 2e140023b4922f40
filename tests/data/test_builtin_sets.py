"""The sets that come along are what their names promise."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import sparring.data
from sparring.core.errors import ConfigError, DataError
from sparring.data import DataConfig, open_data
from sparring.data.readers.points import mixture_modes, sample_points

SETS = Path(sparring.data.__file__).parent / "sets"


def opened(source, **settings):
    return open_data(DataConfig(source=source, **settings))


def test_animals():
    data = opened("animals")
    assert data.spec.shape == (1, 28, 28)
    assert data.classes == (
        "bear",
        "bird",
        "cat",
        "cow",
        "dog",
        "elephant",
        "giraffe",
        "horse",
        "sheep",
        "zebra",
    )
    assert np.bincount(data.labels).tolist() == [1000] * 10
    assert data.report.duplicates == 284
    assert data.samples.mean() == pytest.approx(69.56456964, abs=1e-6)
    assert hashlib.sha256(data.samples.tobytes()).hexdigest().startswith("3d1bb93498a7f7cb")
    assert (SETS / "animals.npz").stat().st_size < 3_000_000
    assert "MIT License" in (SETS / "LICENSE-animals.txt").read_text()


def test_animals_of_some_classes():
    data = opened("animals:cat,dog", size=(32, 32), channels=3)
    assert data.classes == ("cat", "dog")
    assert data.spec.shape == (3, 32, 32)
    assert len(data) == 2000
    with pytest.raises(DataError, match="giraffe"):
        opened("animals:girafe")


@pytest.mark.parametrize(("name", "count", "std"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_mixtures(name, count, std):
    data = opened(name)
    means, actual_std = mixture_modes(name)
    assert actual_std == std
    assert means.shape == (count, 2)
    distance = np.linalg.norm(data.samples[:, None] - means, axis=2)
    nearest = distance.argmin(1)
    share = np.bincount(nearest, minlength=count) / len(data)
    assert np.abs(share * count - 1).max() < 0.06
    off = data.samples - means[nearest]
    assert off.std(0) == pytest.approx([std, std], rel=0.01)
    assert np.abs(off.mean(0)).max() < 5 * std / 100_000**0.5
    assert distance.min(1).max() < 6 * std
    assert data.labels is None


def test_ring_and_grid_are_where_they_should_be():
    assert np.linalg.norm(mixture_modes("ring")[0], axis=1) == pytest.approx(np.ones(8))
    assert {tuple(mean) for mean in mixture_modes("grid")[0]} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }
    with pytest.raises(ConfigError):
        mixture_modes("swissroll")


def test_swissroll():
    points = opened("swissroll").samples
    assert points.shape == (100_000, 2)
    radius = np.linalg.norm(points, axis=1)
    assert radius.min() > 0.2
    assert radius.max() < 1.12
    t = radius * 4.5 * np.pi
    angle = np.arctan2(points[:, 1], points[:, 0])
    off = (t - angle + np.pi) % (2 * np.pi) - np.pi  # on the roll the angle is t itself
    assert np.abs(off * radius).std() < 0.5
    assert np.abs(off).mean() < 0.5


@pytest.mark.parametrize("name", ["ring", "grid", "swissroll"])
def test_points_are_the_same_each_time(name):
    assert np.array_equal(sample_points(name), opened(name).samples)
    assert opened(name).fingerprint == opened(name).fingerprint
    assert opened(name).samples.dtype == np.float32


@pytest.mark.parametrize("settings", [{"size": (4, 4)}, {"channels": 1}, {"flip": True}])
def test_points_have_no_image_settings(settings):
    with pytest.raises(DataError, match="points"):
        opened("ring", **settings)


def test_points_have_no_classes():
    with pytest.raises(DataError, match="no classes"):
        opened("ring:a")
