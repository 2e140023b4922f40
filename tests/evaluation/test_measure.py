"""`measure`: the metric of exactly the samples that the name says, the scores of real samples, and errors."""

import json

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError, CorruptFileError, DataError
from sparring.evaluation import feature_bank as banks
from sparring.evaluation.compute import METRICS
from sparring.evaluation.measure import MeasureOptions, measure
from sparring.evaluation.metric_input import MetricValue
from sparring.evaluation.result import ComparisonError, Result
from sparring.evaluation.samples import GeneratedSamples, RealSamples
from sparring.evaluation.summary import explain_metric, format_table, measurement_details, summarize
from sparring.features.extractor import ExtractorOutput
from sparring.features.pixels_pca import PixelExtractor, PointExtractor
from sparring.metrics import frechet_distance
from sparring.protocols.catalogue import METRICS_INFO, MetricInfo
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.until import default_protocol, parse_until


def points(count, seed=0, shift=0.0):
    return (np.random.default_rng(seed).standard_normal((count, 2)) + shift).astype(np.float32)


def reference(count=1000, split="train", seed=1, **more) -> RealSamples:
    return RealSamples(samples=points(count, seed), split=split, source="normal", fingerprint="f", **more)


def run(name, fake, real=None, other=None, extractor=None) -> Result:
    sampled = fake if isinstance(fake, GeneratedSamples) else GeneratedSamples(samples=fake)
    return measure(
        EvaluationProtocol.parse(name), sampled, real or reference(), extractor or PointExtractor(2), other
    )


class CountingExtractor:
    """The coordinates of points times a factor; counts the points."""

    name, digest, preprocessing, dimension = "points", "", "counted", 2

    def __init__(self, factor: float = 1.0) -> None:
        self.count, self.factor = 0, factor

    def __call__(self, samples) -> ExtractorOutput:
        self.count += len(samples)
        return ExtractorOutput(torch.from_numpy(samples.copy()) * self.factor)


def test_the_value_is_that_of_the_first_samples_in_a_fixed_order() -> None:
    real, fake = reference(), points(700, 2, shift=3.0)
    line = run("fd500-points-train", fake, real)
    assert line.value == frechet_distance(real.samples[real.order[:500]], fake[:500])
    assert abs(line.value - 18.0) < 1.0, "a shift by (3, 3) is a distance of 18"
    assert line.interval.low < line.value < line.interval.high
    assert (line.real, line.fake) == (500, 500)
    assert run("fd500-points-train", fake, reference()).values == line.values


def test_the_floor_is_between_disjoint_real_samples() -> None:
    real = reference(1000)
    row = run("fd500-points-train", points(500), real).floor
    halves = real.samples[real.order[:500]], real.samples[real.order[500:]]
    assert (row.values["fd"], row.real, row.fake) == (frechet_distance(*halves), 500, 500)
    short = run("fd800-points-train", points(800), real).floor
    assert (short.real, short.fake, short.description) == (500, 500, "two halves of the set")


def test_train_against_test_takes_the_test_set_as_generated() -> None:
    train, test = reference(1000), reference(400, "test", seed=5)
    row = run("fd400-points-train", points(500), train, test).train_against_test
    expected = frechet_distance(train.samples[train.order[:400]], test.samples[test.order])
    assert row.values["fd"] == expected
    back = run("fd300-points-test", points(500), test, train).train_against_test
    assert back.values["fd"] == frechet_distance(
        test.samples[test.order[:300]], train.samples[train.order[:300]]
    )


def test_metrics_of_points_tell_good_samples_from_bad() -> None:
    for metric in ("fd", "fdinf", "kd", "prdc", "swd"):
        good = run(f"{metric}400-points-train", points(400, 3))
        bad = run(f"{metric}400-points-train", points(400, 3, shift=2.0))
        assert good.compare(bad).is_better, metric
        assert good.compare(bad).is_clear, metric
        assert good.interval.low <= (good.floor.values[good.protocol.info.headline]) + 0.05, metric


def test_copies_are_detected() -> None:
    real = reference(1000)
    copies = real.samples[real.order[:300]] + np.float32(1e-6)
    copied = run("auth300-points-train", copies, real)
    independent = run("auth300-points-train", points(300, 9), real)
    assert copied.value < 0.05 < independent.value
    assert "memorises" in summarize(copied)
    assert "memorises" not in summarize(independent)


def test_copies_of_any_training_sample_are_detected() -> None:
    """Also of samples that are not among the first, which the other metrics take."""
    real = reference(3000)
    copied = real.samples[real.order[-300:]] + np.float32(1e-6)
    line = run("auth300-points-train", copied, real, reference(500, "test", seed=6))
    assert line.value < 0.05
    assert (line.real, line.fake, line.floor.real, line.floor.fake) == (3000, 300, 2700, 300)
    assert (line.train_against_test.real, line.train_against_test.fake) == (3000, 300)
    assert min(line.floor.values["authenticity"], line.train_against_test.values["authenticity"]) > 0.3
    few = run("auth300-points-train", points(300, 9), reference(40))
    assert (few.real, few.floor.real, few.floor.fake) == (40, 20, 20)


def test_too_few_samples_suggest_the_count_that_fits() -> None:
    with pytest.raises(DataError) as error:
        run("fd10k-points-test", points(10_000), reference(3000, "test"))
    assert error.value.fix == "use fd3k-points-test"
    assert "3,000" in error.value.got
    with pytest.raises(DataError) as error:
        run("fd500-points-train", points(20))
    assert error.value.fix == "use fd20-points-train"
    with pytest.raises(DataError) as error:
        run("fd500-points-train", points(1))
    assert error.value.got.endswith("1 sample")


def test_arrays_that_are_not_samples_are_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        GeneratedSamples(samples=points(0))
    with pytest.raises(DataError, match="1 of 5 points are not finite"):
        GeneratedSamples(samples=np.concatenate([points(4), np.full((1, 2), np.nan, np.float32)]))
    with pytest.raises(DataError, match="float32"):
        GeneratedSamples(samples=np.zeros((4, 8, 8, 3), np.float32))
    with pytest.raises(DataError, match="labels"):
        GeneratedSamples(samples=points(4), labels=np.zeros(3, np.int64))


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        run("fd400-points-train", points(400), extractor=CountingExtractor(float("nan")))


def test_parts_that_do_not_fit_together_are_refused() -> None:
    images = RealSamples(samples=np.zeros((20, 8, 9, 3), np.uint8), fingerprint="f")
    with pytest.raises(DataError, match=r"8x8, 3 channels against real ones of 8x9"):
        run(
            "fd10-pixels-train",
            np.zeros((20, 8, 8, 3), np.uint8),
            images,
            extractor=PixelExtractor((8, 8, 3)),
        )
    with pytest.raises(ConfigError, match="the test set"):
        run("fd400-points-test", points(400))
    with pytest.raises(DataError, match="no labels"):
        run("cas400-points-train", points(400))
    with pytest.raises(DataError, match="has no classes"):
        run("is500-points-train", points(500))
    with pytest.raises(ConfigError, match="ring or grid"):
        run("modes400-points-train", points(400))
    with pytest.raises(DataError, match="a generator"):
        run("ppl400-points-train", points(400))


def test_results_of_different_protocols_or_data_are_not_compared() -> None:
    one = run("fd400-points-train", points(400, 3))
    assert one.compare(run("fd400-points-train", points(400, 4))).is_clear is False
    other = reference(1000, seed=8)
    for what, line in (
        ("samples", run("fd300-points-train", points(400))),
        ("metric", run("kd400-points-train", points(400))),
        ("preprocessing", run("fd400-points-train", points(400), extractor=CountingExtractor())),
        (
            "reference",
            run("fd400-points-train", points(400), RealSamples(samples=other.samples, fingerprint="g")),
        ),
    ):
        with pytest.raises(ComparisonError, match=what):
            one.compare(line)


def test_scores_of_real_samples_with_other_counts_are_not_compared_with() -> None:
    """A smaller set has a larger distance by its size alone, so that a perfect generator would seem better than the data."""
    line = run("fd800-points-train", points(800, 3))
    assert line.floor.fake == 500
    assert "counts differ" in summarize(line)
    assert "copies" not in summarize(line)
    beside = run("fd800-points-train", points(800, 3), other=reference(900, "test", seed=4))
    assert "counts differ" not in summarize(beside), "the test set has as many"


def test_a_result_is_restored_from_json() -> None:
    line = run("prdc400-points-train", points(400), other=reference(500, "test"))
    document = json.loads(json.dumps(line.to_json(), allow_nan=False))
    assert Result.from_json(document) == line
    assert {"preprocessing", "provenance", "interval"} <= set(document)
    assert set(document["interval"]) == {"low", "high", "method"}
    assert document["floor"]["description"] == "other samples of the same set"
    document["values"]["coverage"] = float("nan")
    with pytest.raises(CorruptFileError):
        Result.from_json(document)
    assert len(format_table([line])) == 5
    assert dict(measurement_details(line))["features"].startswith("points, 2 features")


def test_real_features_are_computed_once(monkeypatch) -> None:
    monkeypatch.setattr(banks, "MIN_SECONDS_TO_CACHE", -1.0)
    known, first = reference(1000, seed=77), CountingExtractor()
    whole = run("fd600-points-train", points(600), known, extractor=first)
    assert first.count == 600 + 1000, "generated and real; the floor takes the rest of the real ones"
    run("kd300-points-train", points(600), known, extractor=first)
    assert first.count == 600 + 1000 + 300
    again = CountingExtractor()
    same = run("fd600-points-train", points(600), reference(1000, seed=77), extractor=again)
    assert again.count == 600, "the real ones come from the disk"
    assert same.values == whole.values
    assert same.floor == whole.floor


def test_scores_of_real_samples_are_measured_once_with_a_common_cache() -> None:
    real, extractor, cache = reference(1000), CountingExtractor(), {}
    options = [MeasureOptions(resamples=0, real_baselines=cache) for _ in range(2)]
    protocol = EvaluationProtocol.parse("fd300-points-train")
    fakes = [GeneratedSamples(samples=points(300, seed)) for seed in (2, 3)]
    first, second = (
        measure(protocol, fake, real, extractor, options=one)
        for fake, one in zip(fakes, options, strict=True)
    )
    assert first.value != second.value
    assert first.floor is second.floor
    assert len(cache) == 1
    other = measure(protocol, fakes[0], reference(900, seed=5), extractor, options=options[0])
    assert other.floor != first.floor, "another reference has its own"


def test_samples_are_complete_when_they_are_constructed() -> None:
    """Frozen means frozen: nothing is assigned later, and the bank is always the same."""
    real, fake = reference(50), GeneratedSamples(samples=points(20))
    assert real.bank is real.bank
    assert fake.bank is fake.bank
    for samples in (real, fake):
        with pytest.raises(AttributeError):
            samples.source = "other"  # type: ignore[misc]


def test_a_new_metric_is_one_row_in_each_of_two_tables(monkeypatch) -> None:
    """Nothing else has to know its name: defaults, names, targets, table, sentences, details."""
    info = MetricInfo(
        title="mean of the first coordinate",
        headline="x",
        better="higher",
        interpretation="0 for the standard normal distribution",
        shown_values=("x", "y"),
        count_noun="toy samples",
    )
    monkeypatch.setitem(METRICS_INFO, "toy", info)
    monkeypatch.setitem(
        METRICS,
        "toy",
        lambda job: MetricValue(dict(zip("xy", job.fake.features.mean(0).tolist(), strict=True))),
    )
    result = run("toy400-points-train", points(400, shift=3.0))
    assert result.value == pytest.approx(3, abs=0.2)
    assert result.floor.values["x"] == pytest.approx(0, abs=0.2)
    assert [line.split()[0] for line in format_table([result])[1:]] == ["toy400-points-train"] * 2
    assert summarize(result).startswith("X 2.9")
    assert explain_metric(result) == "Higher is better: 0 for the standard normal distribution."
    assert dict(measurement_details(result))["toy samples"] == "400 of unnamed samples"
    assert Result.from_json(result.to_json()) == result
    assert default_protocol("toy", (2,), (1_000, 0)) == "toy1k-points-train"
    assert parse_until("toy>=3")[1].metric == "toy"
