"""What auto holds out, its validation metric, and how often it is evaluated."""

import pytest

from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig
from sparring.recipes import auto
from sparring.recipes.facts import Facts

IMAGES, POINTS = SampleSpec(shape=(1, 28, 28), num_classes=10), SampleSpec(shape=(2,))


@pytest.mark.parametrize(
    ("spec", "count", "held_out", "metric"),
    [
        (IMAGES, 399, 0, ""),
        (IMAGES, 800, 40, ""),
        (IMAGES, 3_000, 150, "kd100-pixels-test"),
        (IMAGES, 100_000, 500, "kd500-pixels-test"),
        (POINTS, 50, 0, ""),
        (POINTS, 100_000, 0, "swd1k-points-train"),
    ],
)
def test_held_out_samples_and_metric(spec: SampleSpec, count: int, held_out: int, metric: str) -> None:
    found = auto.experiment(Facts(spec=spec, count=count))
    assert found.data == DataConfig(held_out=held_out, pseudo_classes=found.data.pseudo_classes)
    assert found.training.metric == metric


@pytest.mark.parametrize("images", [64, 5_488, 11_000, 40_000, 400_000])
def test_evaluations_are_few_and_at_the_times_of_grids(images: int) -> None:
    training = auto.experiment(Facts(spec=IMAGES, count=10_000, images=images)).training.resolve()
    assert training.evaluate_every % training.sample_every == 0
    times = max(1, images // training.evaluate_every)
    assert times <= 10
    assert times * 100 <= 0.03 * max(images, 4_000)
