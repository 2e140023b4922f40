"""What auto holds out, its validation metric, and how often it is evaluated."""

import pytest

from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig
from sparring.protocols import defaults
from sparring.recipes import auto
from sparring.recipes.facts import Facts

IMAGES, POINTS = SampleSpec(shape=(1, 28, 28), num_classes=10), SampleSpec(shape=(2,))


@pytest.mark.parametrize(
    ("spec", "count", "held_out", "metric"),
    [
        (IMAGES, 399, 0, ""),
        (IMAGES, 800, 40, ""),
        (IMAGES, 3_000, 150, "kd150-self_supervised-test"),
        (IMAGES, 100_000, 500, "kd500-self_supervised-test"),
        (POINTS, 50, 0, ""),
        (POINTS, 100_000, 0, "swd1k-points-train"),
    ],
)
def test_held_out_samples_and_metric(
    monkeypatch: pytest.MonkeyPatch, spec: SampleSpec, count: int, held_out: int, metric: str
) -> None:
    monkeypatch.setattr(defaults, "has_efficientnet", lambda: False)
    found = auto.experiment(Facts(spec=spec, count=count))
    assert found.data == DataConfig(held_out=held_out, pseudo_classes=found.data.pseudo_classes)
    assert found.training.metric == metric


@pytest.mark.parametrize("images", [64, 5_488, 11_000, 40_000, 400_000])
def test_evaluations_are_few_and_at_the_times_of_grids(images: int) -> None:
    training = auto.experiment(Facts(spec=IMAGES, count=10_000, images=images)).training.resolve()
    assert training.evaluate_every % training.sample_every == 0
    times = max(1, images // training.evaluate_every)
    assert times <= 10
    assert times * 100 <= 0.03 * max(images, 4_000) or "pixels" not in training.metric


@pytest.mark.parametrize(
    ("side", "installed", "images", "extractor", "evaluations"),
    [
        (64, True, 16_000, "pixels", 10),
        (64, True, 39_999, "pixels", 10),
        (64, True, 40_000, "self_supervised", 2),
        (64, True, 400_000, "efficientnet_lite0", 10),
        (64, False, 400_000, "self_supervised", 10),
        (28, True, 400_000, "self_supervised", 10),
        (28, True, 123_000, "self_supervised", 7),
        (28, True, 2_000_000, "efficientnet_lite0", 10),
        (256, True, 40_000, "efficientnet_lite0", 10),
        (4, True, 10**9, "self_supervised", 10),
    ],
)
def test_the_features_that_a_run_can_afford(
    monkeypatch: pytest.MonkeyPatch,
    side: int,
    installed: bool,
    images: int,
    extractor: str,
    evaluations: int,
) -> None:
    monkeypatch.setattr(defaults, "has_efficientnet", lambda: installed)
    found = defaults.choose_validation("kd", "pixels-test", 356, images, (3, side, side))
    assert found is not None
    assert (str(found.protocol), found.evaluations) == (f"kd350-{extractor}-test", evaluations)


def test_without_samples_there_is_no_metric_and_points_keep_theirs() -> None:
    assert defaults.choose_validation("kd", "pixels-test", 99, 10**6, (3, 64, 64)) is None
    points = defaults.choose_validation("swd", "points-train", 5_000, 10**6, (2,))
    assert points is not None
    assert str(points.protocol) == "swd1k-points-train"
