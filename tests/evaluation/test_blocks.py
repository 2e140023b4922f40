"""The values of blocks of samples: what they are, and that their interval is as wide as chance."""

import numpy as np
import pytest
import torch

from sparring.evaluation.measure import MeasureOptions, measure
from sparring.evaluation.result import Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.features.pixels_pca import PointExtractor
from sparring.metrics.kernel_mmd import kernel_distance_leaving_out, mmd_squared
from sparring.protocols.protocol import EvaluationProtocol

COUNT = 200


def points(seed: int, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(COUNT, 3)) + shift).astype(np.float32)


def measured(metric: str, seed: int = 0, blocks: int = 10, shift: float = 0.5) -> Result:
    protocol = EvaluationProtocol.parse(f"{metric}{COUNT}-points-train")
    real, fake = RealSamples(samples=points(2 * seed)), GeneratedSamples(samples=points(2 * seed + 1, shift))
    options = MeasureOptions(resamples=0, blocks=blocks)
    return measure(protocol, fake, real, PointExtractor(3), options=options)


def test_one_block_of_both_sets_is_left_out() -> None:
    real, fake = torch.from_numpy(points(0)), torch.from_numpy(points(1))
    blocks = [slice(0, 40), slice(40, 200)]
    values = kernel_distance_leaving_out(real, fake, blocks)
    assert values[0] == pytest.approx(mmd_squared(real[40:], fake[40:]))
    assert values[1] == pytest.approx(mmd_squared(real[:40], fake[:40]))


@pytest.mark.parametrize("metric", ["kd", "fd", "swd", "prdc"])
def test_the_mean_of_the_blocks_is_the_value(metric: str) -> None:
    found = measured(metric)
    assert len(found.blocks) == 10
    assert np.mean(found.blocks) == pytest.approx(found.value)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high
    assert found.interval.method == "jackknife over 10 blocks of samples"
    assert Result.from_json(found.to_json()) == found


def test_without_blocks_nothing_changes() -> None:
    plain, blocks = measured("kd", blocks=0), measured("kd")
    assert (plain.values, plain.blocks) == (blocks.values, ())
    assert plain.interval is not None
    assert plain.interval.method.startswith("spread over")
    old = {name: value for name, value in plain.to_json().items() if name != "blocks"}
    assert Result.from_json(old) == plain


def test_the_interval_is_as_wide_as_chance() -> None:
    """Over other real and generated samples, 95 % of the intervals hold the mean of all values."""
    results = [measured("kd", seed) for seed in range(60)]
    mean = np.mean([result.value for result in results])
    hits = sum(r.interval.low <= mean <= r.interval.high for r in results if r.interval is not None)
    assert 51 <= hits <= 60  # 57 expected
