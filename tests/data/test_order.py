"""The order of the data: a permutation an epoch, and a pure function of the position."""

import numpy as np
import pytest

from sparring.core.errors import ConfigError
from sparring.data import shuffled_indices


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 17, 64, 97, 100, 128, 251, 256, 299, 300])
def test_each_epoch_is_a_permutation(count):
    stream = shuffled_indices(0, count, 0, 4 * count)
    assert stream.dtype == np.int64
    for epoch in range(4):
        assert sorted(stream[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_a_slice_is_what_it_is_in_the_whole():
    whole = shuffled_indices(3, 37, 0, 1000)
    draw = np.random.default_rng(0)
    for _ in range(200):
        start, size = int(draw.integers(0, 900)), int(draw.integers(0, 100))
        assert np.array_equal(shuffled_indices(3, 37, start, size), whole[start : start + size])


def test_larger_than_the_set():
    counts = np.bincount(shuffled_indices(0, 7, 3, 70), minlength=7)
    assert counts.sum() == 70
    assert counts.min() >= 9


def test_epochs_and_seeds_differ():
    assert not np.array_equal(shuffled_indices(0, 100, 0, 100), shuffled_indices(0, 100, 100, 100))
    assert not np.array_equal(shuffled_indices(0, 100, 0, 100), shuffled_indices(1, 100, 0, 100))


def test_the_answer_can_be_changed_without_harm():
    first = shuffled_indices(0, 10, 0, 10)
    first[:] = 0
    assert sorted(shuffled_indices(0, 10, 0, 10)) == list(range(10))


def test_places_are_uniform():
    """Each sample comes first about equally often."""
    first = [int(shuffled_indices(0, 8, 8 * epoch, 1)[0]) for epoch in range(800)]
    assert np.abs(np.bincount(first, minlength=8) - 100).max() < 40


@pytest.mark.parametrize("arguments", [(0, 0, 0, 1), (0, 5, -1, 1), (0, 5, 0, -1)])
def test_out_of_range(arguments):
    with pytest.raises(ConfigError):
        shuffled_indices(*arguments)
