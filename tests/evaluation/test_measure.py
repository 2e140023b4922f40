"""A result is the metric of the samples that its name says, with what real samples get beside it; or a refusal."""

import json

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, CorruptFileError, DataError
from sparring.evaluation import feature_bank as banks
from sparring.evaluation.measure import measure
from sparring.evaluation.result import ComparisonError, Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.evaluation.summary import format_table, measurement_details, summarize
from sparring.features.extractor import ExtractorOutput
from sparring.features.pixels_pca import PixelExtractor, PointExtractor
from sparring.metrics import frechet_distance
from sparring.protocols.protocol import EvaluationProtocol


def points(count, seed=0, shift=0.0):
    return (np.random.default_rng(seed).standard_normal((count, 2)) + shift).astype(np.float32)


def reference(count=1000, split="train", seed=1, **more) -> RealSamples:
    return RealSamples(samples=points(count, seed), split=split, source="normal", fingerprint="f", **more)


def run(name, fake, real=None, other=None, extractor=None) -> Result:
    sampled = fake if isinstance(fake, GeneratedSamples) else GeneratedSamples(samples=fake)
    return measure(
        EvaluationProtocol.parse(name), sampled, real or reference(), extractor or PointExtractor(2), other
    )


class Counting:
    """Points as they are, that knows how many it was shown."""

    name, digest, preprocessing, dimension = "points", "", "counted", 2

    def __init__(self, factor: float = 1.0) -> None:
        self.seen, self.factor = 0, factor

    def __call__(self, samples) -> ExtractorOutput:
        self.seen += len(samples)
        return ExtractorOutput(torch.from_numpy(samples.copy()) * self.factor)


def test_the_value_is_that_of_the_first_samples_of_a_fixed_order() -> None:
    real, fake = reference(), points(700, 2, shift=3.0)
    line = run("fd500-points-train", fake, real)
    assert line.value == frechet_distance(real.samples[real.order[:500]], fake[:500])
    assert abs(line.value - 18.0) < 1.0, "a shift by (3, 3) is a distance of 18"
    assert line.interval.low < line.value < line.interval.high
    assert (line.real, line.fake) == (500, 500)
    assert run("fd500-points-train", fake, reference()).values == line.values


def test_the_floor_is_of_real_samples_that_have_none_in_common() -> None:
    real = reference(1000)
    row = run("fd500-points-train", points(500), real).floor
    halves = real.samples[real.order[:500]], real.samples[real.order[500:]]
    assert (row.values["fd"], row.real, row.fake) == (frechet_distance(*halves), 500, 500)
    short = run("fd800-points-train", points(800), real).floor
    assert (short.real, short.fake, short.description) == (500, 500, "two halves of the set")


def test_the_test_set_is_put_in_the_place_of_the_generated_one() -> None:
    train, test = reference(1000), reference(400, "test", seed=5)
    row = run("fd400-points-train", points(500), train, test).train_against_test
    expected = frechet_distance(train.samples[train.order[:400]], test.samples[test.order])
    assert row.values["fd"] == expected
    back = run("fd300-points-test", points(500), test, train).train_against_test
    assert back.values["fd"] == frechet_distance(
        test.samples[test.order[:300]], train.samples[train.order[:300]]
    )


def test_all_metrics_of_points_know_good_from_bad() -> None:
    for metric in ("fd", "fdinf", "kd", "prdc", "swd"):
        good = run(f"{metric}400-points-train", points(400, 3))
        bad = run(f"{metric}400-points-train", points(400, 3, shift=2.0))
        assert good.compare(bad).better, metric
        assert good.compare(bad).clear, metric
        assert good.interval.low <= (good.floor.values[good.protocol.info.headline]) + 0.05, metric


def test_a_copier_is_caught() -> None:
    real = reference(1000)
    copies = real.samples[real.order[:300]] + np.float32(1e-6)
    caught, honest = (
        run("auth300-points-train", copies, real),
        run("auth300-points-train", points(300, 9), real),
    )
    assert caught.value < 0.05 < honest.value
    assert "memorises" in summarize(caught)
    assert "memorises" not in summarize(honest)


def test_a_copier_is_caught_whichever_training_samples_it_copies() -> None:
    """Also those that are not among the first of the real set's order, which other metrics take."""
    real = reference(3000)
    copied = real.samples[real.order[-300:]] + np.float32(1e-6)
    line = run("auth300-points-train", copied, real, reference(500, "test", seed=6))
    assert line.value < 0.05
    assert (line.real, line.fake, line.floor.real, line.floor.fake) == (3000, 300, 2700, 300)
    assert (line.train_against_test.real, line.train_against_test.fake) == (3000, 300)
    assert min(line.floor.values["authenticity"], line.train_against_test.values["authenticity"]) > 0.3
    few = run("auth300-points-train", points(300, 9), reference(40))
    assert (few.real, few.floor.real, few.floor.fake) == (40, 20, 20)


def test_too_few_samples_are_told_the_name_that_fits() -> None:
    with pytest.raises(DataError, match="use fd3k-points-test") as error:
        run("fd10k-points-test", points(10_000), reference(3000, "test"))
    assert "3,000" in str(error.value)
    with pytest.raises(DataError, match="use fd20-points-train"):
        run("fd500-points-train", points(20))
    with pytest.raises(DataError, match="1 sample"):
        run("fd500-points-train", points(1))


def test_what_is_no_set_of_samples_is_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        GeneratedSamples(samples=points(0))
    with pytest.raises(DataError, match="1 of 5 points are not finite"):
        GeneratedSamples(samples=np.concatenate([points(4), np.full((1, 2), np.nan, np.float32)]))
    with pytest.raises(DataError, match="float32"):
        GeneratedSamples(samples=np.zeros((4, 8, 8, 3), np.float32))
    with pytest.raises(DataError, match="labels"):
        GeneratedSamples(samples=points(4), labels=np.zeros(3, np.int64))


def test_features_that_are_not_finite_give_no_number() -> None:
    with pytest.raises(DataError, match="not finite"):
        run("fd400-points-train", points(400), extractor=Counting(float("nan")))


def test_what_does_not_go_together_is_refused() -> None:
    pictures = RealSamples(samples=np.zeros((20, 8, 9, 3), np.uint8), fingerprint="f")
    with pytest.raises(DataError, match=r"8x8, 3 channels against real ones of 8x9"):
        run(
            "fd10-pixels-train",
            np.zeros((20, 8, 8, 3), np.uint8),
            pictures,
            extractor=PixelExtractor((8, 8, 3)),
        )
    with pytest.raises(ConfigError, match="the test set"):
        run("fd400-points-test", points(400))
    with pytest.raises(DataError, match="no labels"):
        run("cas400-points-train", points(400))
    with pytest.raises(DataError, match="tell classes apart"):
        run("is500-points-train", points(500))
    with pytest.raises(ConfigError, match="ring or grid"):
        run("modes400-points-train", points(400))
    with pytest.raises(DataError, match="a generator"):
        run("ppl400-points-train", points(400))


def test_only_like_is_compared_with_like() -> None:
    one = run("fd400-points-train", points(400, 3))
    assert one.compare(run("fd400-points-train", points(400, 4))).clear is False
    other = reference(1000, seed=8)
    for what, line in (
        ("samples", run("fd300-points-train", points(400))),
        ("metric", run("kd400-points-train", points(400))),
        ("resize rule", run("fd400-points-train", points(400), extractor=Counting())),
        (
            "reference",
            run("fd400-points-train", points(400), RealSamples(samples=other.samples, fingerprint="g")),
        ),
    ):
        with pytest.raises(ComparisonError, match=what):
            one.compare(line)


def test_real_samples_at_other_counts_are_told_and_not_compared_with() -> None:
    """Half of the set has a larger distance by its count alone: a generator as good as the data is no better than it."""
    line = run("fd800-points-train", points(800, 3))
    assert line.floor.fake == 500
    assert "counts differ" in summarize(line)
    assert "copies" not in summarize(line)
    beside = run("fd800-points-train", points(800, 3), other=reference(900, "test", seed=4))
    assert "counts differ" not in summarize(beside), "the test set has as many"


def test_a_result_survives_json() -> None:
    line = run("prdc400-points-train", points(400), other=reference(500, "test"))
    document = json.loads(json.dumps(line.to_json(), allow_nan=False))
    assert Result.from_json(document) == line
    document["values"]["coverage"] = float("nan")
    with pytest.raises(CorruptFileError):
        Result.from_json(document)
    assert len(format_table([line])) == 5
    assert dict(measurement_details(line))["features"].startswith("points, 2 of them")


def test_real_features_are_made_once(monkeypatch) -> None:
    monkeypatch.setattr(banks, "MIN_SECONDS_TO_CACHE", -1.0)
    known, first = reference(1000, seed=77), Counting()
    whole = run("fd600-points-train", points(600), known, extractor=first)
    assert first.seen == 600 + 1000, "generated and real; the floor takes the rest of the real ones"
    run("kd300-points-train", points(600), known, extractor=first)
    assert first.seen == 600 + 1000 + 300
    again = Counting()
    same = run("fd600-points-train", points(600), reference(1000, seed=77), extractor=again)
    assert again.seen == 600, "the real ones come from the disk"
    assert same.values == whole.values
    assert same.floor == whole.floor
