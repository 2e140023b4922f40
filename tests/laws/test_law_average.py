"""Running averages against their closed forms."""

import pytest
import torch
from torch import nn

from sparring.core.ema import EMA


def constant(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(layer.weight, value)
    return layer


def value(average: EMA) -> float:
    return float(average.module.weight)


@pytest.mark.parametrize(("half_life", "batch"), [(640.0, 64), (100.0, 8), (50.0, 50)])
def test_a_half_life_halves(half_life, batch):
    layer = constant(1.0)
    average = EMA(layer, half_life, ramp=1e9)
    nn.init.zeros_(layer.weight)
    for step in range(1, 41):
        average.update(layer, step * batch, batch)
        assert value(average) == pytest.approx(0.5 ** (step * batch / half_life), rel=1e-12)


def test_the_batch_does_not_matter():
    """Two updates of half the batch are one of the whole."""
    layer = constant(1.0)
    once, twice = EMA(layer, 100.0, ramp=1e9), EMA(layer, 100.0, ramp=1e9)
    nn.init.constant_(layer.weight, 3.0)
    once.update(layer, 16, 16)
    twice.update(layer, 8, 8)
    twice.update(layer, 16, 8)
    assert value(once) == pytest.approx(value(twice), rel=1e-12)


def test_of_all_past_is_the_mean():
    layer = constant(7.0)
    average = EMA.cumulative_mean(layer)
    numbers = [3.0, -1.0, 4.0, 1.5, 9.0]
    for count, number in enumerate(numbers, 1):
        nn.init.constant_(layer.weight, number)
        average.update(layer)
        assert value(average) == pytest.approx(sum(numbers[:count]) / count, rel=1e-12)
    assert int(average.count) == len(numbers)


def test_the_ramp_bounds_the_half_life():
    """With half-life `ramp * images`, update k moves by 1 - 2^(-1 / (ramp k)), whatever the batch."""
    layer, ramp, batch = constant(1.0), 0.5, 8
    average = EMA(layer, 1e12, ramp)
    nn.init.zeros_(layer.weight)
    expected = 1.0
    for step in range(1, 30):
        average.update(layer, step * batch, batch)
        expected *= 0.5 ** (1 / (ramp * step))
        assert value(average) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("half_life", [0.0])
def test_no_half_life_is_the_network_itself(half_life):
    layer = constant(1.0)
    average = EMA(layer, half_life)
    nn.init.constant_(layer.weight, 5.0)
    average.update(layer, 64, 64)
    assert value(average) == 5.0


def test_statistics_are_averaged_and_counters_copied():
    norm = nn.BatchNorm1d(1)
    average = EMA(norm, 8.0, ramp=1e9)
    norm.running_mean.fill_(4.0)
    norm.num_batches_tracked.fill_(7)
    average.update(norm, 8, 8)
    assert float(average.module.running_mean) == pytest.approx(2.0)
    assert int(average.module.num_batches_tracked) == 7
    assert not average.module.training
    assert not any(parameter.requires_grad for parameter in average.module.parameters())
