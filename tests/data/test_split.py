import sys

import numpy as np
import pytest

from sparring.core.errors import ConfigError
from sparring.data import DataConfig, Dataset, open_data, split_held_out


@pytest.fixture
def numbered(tmp_path) -> Dataset:
    """100 images that carry their number, and the class number % 3."""
    images = np.broadcast_to(np.arange(100, dtype=np.uint8)[:, None, None, None], (100, 4, 4, 1))
    path = tmp_path / "numbered.npz"
    np.savez(path, images=images, labels=np.arange(100) % 3)
    return open_data(DataConfig(source=str(path), held_out=20))


def numbers(part: Dataset) -> list[int]:
    return part.samples[:, 0, 0, 0].tolist()


def test_each_sample_is_in_one_part(numbered):
    training, held = split_held_out(numbered, 20)
    assert held is not None
    assert (len(training), len(held)) == (80, 20)
    assert sorted(numbers(training) + numbers(held)) == list(range(100))
    for part in (training, held):
        assert (part.samples[:, 0, 0, 0] % 3 == part.labels).all()
        assert part.classes == numbered.classes
        assert part.fingerprint == numbered.fingerprint


def test_the_choice_is_by_chance_and_always_the_same(numbered):
    _, held = split_held_out(numbered, 20)
    _, again = split_held_out(numbered, 20)
    _, more = split_held_out(numbered, 30)
    assert numbers(held) == numbers(again)
    assert numbers(held) not in (list(range(20)), list(range(80, 100)))
    assert set(numbers(held)) < set(numbers(more))


def test_the_fingerprint_is_that_of_the_whole(numbered):
    whole = open_data(DataConfig(source=numbered.config.source))
    assert whole.fingerprint == numbered.fingerprint
    assert split_held_out(whole, 0) == (whole, None)


def test_points_keep_the_units_of_the_whole():
    whole = open_data(DataConfig(source="grid"))
    training, held = split_held_out(whole, 500)
    assert held.units == training.units == whole.units
    assert len(held) == 500


def test_half_or_more_is_refused(numbered):
    assert len(split_held_out(numbered, 49)[1]) == 49
    with pytest.raises(ConfigError, match="fewer than half"):
        split_held_out(numbered, 50)
    with pytest.raises(ConfigError, match="held_out: -1"):
        DataConfig(source="x", held_out=-1)


def test_large_sets_stay_on_the_disk(numbered, monkeypatch):
    small = split_held_out(numbered, 20)
    module = sys.modules["sparring.data.split"]
    monkeypatch.setattr(module, "MAX_MEMORY_BYTES", 0)
    monkeypatch.setattr(module, "COPY_ROWS", 7)
    large = split_held_out(numbered, 20)
    for one, two in zip(small, large, strict=True):
        assert isinstance(two.samples, np.memmap)
        assert np.array_equal(one.samples, two.samples)
        assert np.array_equal(one.batch(np.arange(5))[0], two.batch(np.arange(5))[0])
