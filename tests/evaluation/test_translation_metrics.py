"""Metrics of translated images in closed form, and the evaluation of tiny runs of translators."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sparring import cli, metrics
from sparring.core.errors import ConfigError, DataError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import DeviceOptions
from sparring.core.shapes import SampleSpec
from sparring.data import DataConfig, Dataset, open_data
from sparring.evaluation.baselines import apply_colour_map, convert_channels, fit_colour_map
from sparring.evaluation.compute_samples import MAX_PSNR
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.measure import measure
from sparring.evaluation.request import EvaluationRequest, open_inputs
from sparring.evaluation.result import Result
from sparring.evaluation.samples import RealSamples
from sparring.evaluation.summary import measurement_details, summarize
from sparring.evaluation.translation_data import TranslationTask, translate_task
from sparring.features.pixels_pca import PCAExtractor, PixelExtractor
from sparring.models.translator import TranslatorModel
from sparring.protocols.defaults import EvaluationContext, default_protocols
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.until import default_protocol
from sparring.runs import records
from sparring.runs.request import Request
from tests.helpers import toy

CPU = DeviceOptions(device="cpu", threads=1)
SIDE, COUNT = 12, 8
SHIFT = 16  # grey levels


class Shifted(nn.Module):
    """A translator that adds a constant number of grey levels."""

    multiple = 1

    def __init__(self, grey_levels: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(grey_levels / 127.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.by


def random_images(seed: int, count: int = COUNT, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (count, SIDE, SIDE, channels), dtype=np.uint8)


def dataset(samples: np.ndarray, targets: np.ndarray | None = None, paired: bool = True) -> Dataset:
    """A data set of these images; with targets, of two domains."""
    return Dataset(
        samples,
        None,
        (),
        fingerprint="f",
        report=None,  # type: ignore[arg-type]
        config=DataConfig(source="here"),
        domain_b=None if targets is None else dataset(targets),
        paired=paired and targets is not None,
    )


def measure_shift(
    name: str, shift: float, *, b: np.ndarray | None = None, paired: bool = True, back: float | None = None
) -> Result:
    """Measure a translator that adds `shift` grey levels, on images whose targets are 10 grey levels brighter."""
    a = random_images(0)
    data = dataset(a, (a + 10 if b is None else b).astype(np.uint8), paired)
    networks = Shifted(shift), None if back is None else Shifted(back)
    translator = TranslatorModel(*networks, SampleSpec(shape=(1, SIDE, SIDE), shape_b=(1, SIDE, SIDE)))
    task, protocol = TranslationTask.from_dataset(data), EvaluationProtocol.parse(name)
    generated = translate_task(translator, task, protocol.count, ProgressMonitor(), source="it")
    assert data.domain_b is not None
    if protocol.extractor == "pixels":
        extractor = PixelExtractor(a.shape[1:])
    else:
        extractor = PCAExtractor(np.asarray(data.domain_b.samples))
    return measure(protocol, generated, RealSamples.from_dataset(task.targets, "test"), extractor)


def test_psnr_and_mae_of_a_constant_shift() -> None:
    result = measure_shift("psnr8-pixels-test", SHIFT)
    assert result.value == pytest.approx(20 * math.log10(255 / (SHIFT - 10)))
    assert {row.description: round(row.values["psnr"], 6) for row in result.baselines} == {
        "identity": round(20 * math.log10(255 / 10), 6),  # the input is 10 grey levels darker
        "linear": round(float(MAX_PSNR), 6),  # a shift of brightness is a linear map of colours
    }
    assert measure_shift("mae8-pixels-test", SHIFT).value == pytest.approx(SHIFT - 10)
    assert result.floor is None, "other real images are no targets"
    assert Result.from_json(result.to_json()) == result


def test_the_target_itself_gets_the_best_score() -> None:
    assert measure_shift("psnr8-pixels-test", 10).value == pytest.approx(float(MAX_PSNR))
    assert measure_shift("ssim8-pixels-test", 10).value == pytest.approx(1)
    assert measure_shift("perceptual8-pixels-test", 10).value == pytest.approx(0, abs=1e-9)
    assert measure_shift("perceptual8-pixels-test", SHIFT).value > 0


def test_each_image_is_compared_with_its_own_target() -> None:
    """In any order of the real samples."""
    other = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * 20 + np.zeros(
        (1, SIDE, SIDE, 1), np.uint8
    )
    result = measure_shift("mae8-pixels-test", 0, b=other)
    expected = np.abs(random_images(0).astype(float) - other).mean()
    assert result.value == pytest.approx(expected)
    assert result.baselines[0].values["mae"] == pytest.approx(expected)
    part = measure_shift("mae3-pixels-test", 0, b=other)  # the first three of the order
    each = np.abs(random_images(0).astype(float) - other).mean((1, 2, 3))
    order = RealSamples.from_dataset(dataset(other), "test").order[:3]
    assert part.value == pytest.approx(each[order].mean())


def test_cycle_consistency_of_constant_shifts() -> None:
    assert measure_shift("cycle8-pixels-test", 30, back=-30).value == pytest.approx(float(MAX_PSNR))
    assert measure_shift("cycle8-pixels-test", 30, back=-20).value == pytest.approx(20 * math.log10(255 / 10))
    assert measure_shift("cycle8-pixels-test", 30, back=-30).baselines == ()
    clipped = measure_shift("cycle8-pixels-test", 1000, back=-1000)  # images are quantised in between
    assert clipped.value < 15


def test_drift_is_0_for_equal_edges_and_1_for_other_ones() -> None:
    x, other = random_images(1, 64, 3), random_images(2, 64, 3)
    assert metrics.edge_drift(x, x).max() == 0
    assert metrics.edge_drift(x, 255 - x).max() == 0
    assert metrics.edge_drift(x, (x // 4 + 100).astype(np.uint8)).max() < 0.05  # up to rounding
    assert metrics.edge_drift(x, np.repeat(metrics.paired.to_grey(x).numpy(), 3, 3)).max() < 1e-6
    assert metrics.edge_drift(x, other).mean() == pytest.approx(1, abs=0.05)
    flat = np.full_like(x, 9)
    assert metrics.edge_drift(flat, flat + 1).max() == 0
    assert metrics.edge_drift(flat, x).min() == 1
    result = measure_shift("drift8-pixels-test", 20)
    assert result.value == 0
    assert [row.description for row in result.baselines] == ["identity", "linear", "truth"]


def test_a_linear_colour_map_is_recovered() -> None:
    a = random_images(3, 20, 3)
    matrix = np.array([[0.5, 0.1, 0.0], [0.1, 0.6, 0.2], [0.2, 0.0, 0.5], [10.0, 20.0, 30.0]])
    b = apply_colour_map(a, matrix)
    fitted = fit_colour_map(a, b, np.arange(20))
    np.testing.assert_allclose(fitted, matrix, atol=0.35)  # targets are rounded to whole grey levels
    assert np.abs(apply_colour_map(a, fitted).astype(int) - b).max() <= 1
    assert fit_colour_map(np.repeat(a[..., :1], 3, 3), b, np.arange(20)).shape == (
        4,
        3,
    ), "singular: grey images as colour"


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (1, 4), (4, 1), (4, 3), (3, 4), (3, 3)])
def test_conversion_of_channels(before: int, after: int) -> None:
    x = np.full((1, 2, 2, before), 90, np.uint8)
    if before == 4:
        x[..., 3] = 0
    converted = convert_channels(x, after)
    assert converted.shape == (1, 2, 2, after)
    assert converted.dtype == np.uint8
    assert converted[0, 0, 0, 0] == (255 if before == 4 else 90)  # transparent is white


def test_metrics_that_are_not_defined_for_a_translator_are_refused() -> None:
    with pytest.raises(ConfigError, match="not paired"):
        measure_shift("psnr8-pixels-test", 1, paired=False)
    with pytest.raises(ConfigError, match="only one direction"):
        measure_shift("cycle8-pixels-test", 1)
    with pytest.raises(ConfigError, match="no latent space"):
        measure_shift("ppl10-pixels-test", 1)
    with pytest.raises(DataError, match="finite"):
        measure_shift("psnr8-pixels-test", math.nan)


def test_default_metrics_depend_on_targets_and_directions() -> None:
    def names(*available: str) -> list[str]:
        context = EvaluationContext(
            shape=(3, 32, 32),
            num_real={"train": 900, "test": 120},
            source="x",
            has_efficientnet=False,
            num_inputs={"train": 900, "test": 130},
            available=frozenset(available),
        )
        return [str(protocol) for protocol in default_protocols(context)]

    pairs = names("target", "input")
    assert pairs[:4] == [
        "psnr120-pixels-test",
        "ssim120-pixels-test",
        "mae120-pixels-test",
        "perceptual120-pca-test",
    ]
    assert not [name for name in pairs if name.startswith(("cycle", "drift", "auth"))]
    assert names("input", "reverse")[3:5] == ["drift130-pixels-test", "cycle130-pixels-test"]
    assert default_protocol("psnr", (3, 32, 32), (400, 30)) == "psnr30-pixels-test"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """Images of grey squares, paired with coloured ones; 16 to train on, 12 to test."""
    root, draws = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for part, count in (("train", 16), ("test", 12)):
        for number in range(count):
            x = np.full((16, 16), 240, np.uint8)
            at = draws.integers(0, 9, 2)
            x[at[0] : at[0] + 6, at[1] : at[1] + 6] = draws.integers(0, 120)
            for side, image in (("A", x), ("B", np.stack([255 - x, x, x // 2], 2))):
                (root / part / side).mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(root / part / side / f"{number:03d}.png")
    return root


THIN = (
    "game.discriminator={type: patchgan, patch_size: 7, width: 4}",
    "training.sample_grid=2",
    "training.report_every=4",
)
NETS = {
    "pix2pix": ("game.translator={type: unet, width: 4}",),
    "cyclegan": (
        "game.translator={type: resnet, width: 4, blocks: 1, downsamplings: 1}",
        "data.pairing=unpaired",
    ),
}


def train(data: Path, recipe: str, out: Path, *more: str) -> Path:
    settings = (*THIN, *NETS[recipe], "training.save_every=8", *more)
    request = Request(data=str(data), recipe=recipe, images=16, batch=4, size=(16, 16), settings=settings)
    toy.train(request, out)
    return out


@pytest.fixture(scope="module")
def cyclegan(pairs, tmp_path_factory) -> Path:
    return train(pairs / "train", "cyclegan", tmp_path_factory.mktemp("cyclegan") / "run")


@pytest.fixture(scope="module")
def pix2pix(pairs, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("pix2pix") / "run"
    return train(pairs, "pix2pix", out, "training.metric=psnr12-pixels-test", "training.evaluate_every=8")


def test_validation_during_training_does_not_change_the_run(pairs, pix2pix, tmp_path) -> None:
    rows = records.read_evaluations(pix2pix)
    assert [row["images"] for row in rows] == [8, 16]
    assert all(5 < row["value"] < 60 and row["better"] == "higher" for row in rows)
    assert toy.digest(pix2pix, logs=False) == toy.digest(
        train(pairs, "pix2pix", tmp_path / "run"), logs=False
    )
    later = evaluate_and_record(
        EvaluationRequest(subject=pix2pix, metrics=("psnr12-pixels-test",)), CPU
    ).results[0]
    assert later.value == pytest.approx(rows[-1]["value"]), "the same images"
    assert (
        dict(measurement_details(later))["linear"]
        == "colour map by least squares on 16 pairs of the training set"
    )
    assert "the input itself gets" in summarize(later)


def test_a_validation_metric_that_is_not_defined_is_refused_before_training(pairs, tmp_path) -> None:
    with pytest.raises(ConfigError, match="not paired"):
        train(pairs / "train", "cyclegan", tmp_path / "run", "training.metric=psnr12-pixels-train")
    with pytest.raises(ConfigError, match="only one direction"):
        train(pairs, "pix2pix", tmp_path / "run", "training.metric=cycle12-pixels-test")


def test_an_unpaired_run_is_evaluated_on_pairs(pairs, cyclegan) -> None:
    """In both directions; and the metrics without pairs are those of the run's own data."""
    metric_names = ("psnr", "cycle", "drift")
    lines = [
        evaluate_and_record(
            EvaluationRequest(
                subject=cyclegan, against=str(pairs / "test"), metrics=metric_names, direction=way
            ),
            CPU,
        ).results
        for way in (None, "b-to-a")
    ]
    assert [one.name for one in lines[0]] == [f"{name}12-pixels-test" for name in metric_names]
    assert [one[0].provenance["direction"] for one in lines] == ["a-to-b", "b-to-a"]
    targets = open_data(DataConfig(source=str(pairs / "test"), size=(16, 16), pairing="paired"))
    assert targets.domain_b is not None
    expected = metrics.psnr(targets.domain_b.samples, convert_channels(np.asarray(targets.samples), 3)).mean()
    assert lines[0][0].baselines[0].values["psnr"] == pytest.approx(float(expected))
    inputs = open_inputs(
        EvaluationRequest(subject=cyclegan), lambda images: toy.cpu(), ProgressMonitor(), lambda text: None
    )
    assert inputs.available("train") == {"input", "reverse"}


def test_images_of_the_target_domain_alone_need_unpaired_metrics(pairs, cyclegan) -> None:
    done = evaluate_and_record(
        EvaluationRequest(subject=cyclegan, against=str(pairs / "test" / "B"), metrics=("kd10-pca", "drift")),
        CPU,
    )
    assert [one.protocol.metric for one in done.results] == ["kd", "drift"]
    assert any("one domain" in note for note in done.notes)


def test_pairs_side_by_side_in_one_image_are_recognised(pairs, pix2pix, tmp_path) -> None:
    for path in (pairs / "test" / "A").iterdir():
        sides = [np.asarray(Image.open(pairs / "test" / side / path.name).convert("RGB")) for side in "AB"]
        Image.fromarray(np.concatenate(sides, 1)).save(tmp_path / path.name)
    side_by_side, folders = (
        evaluate_and_record(
            EvaluationRequest(subject=pix2pix, against=str(against), metrics=("psnr12-pixels-test",)), CPU
        ).results[0]
        for against in (tmp_path, pairs / "test")
    )
    assert side_by_side.value == pytest.approx(folders.value)


def test_on_the_command_line(pairs, pix2pix, tmp_path, capsys) -> None:
    def sparring(*words) -> tuple[int, str]:
        code = cli.run(["evaluate", *map(str, words), "--threads", "1", "--out", str(tmp_path / "out")])
        output = capsys.readouterr()
        return code, output.out + output.err

    code, output = sparring(pix2pix, "--metrics", "psnr,ssim,kd10-pca")
    assert (code, "identity" in output, "linear" in output) == (0, True, True), output
    folders = pairs / "test" / "B", "--against", pairs / "test" / "B", "--metrics", "psnr,mae"
    code, output = sparring(*folders)
    assert (code, "58.92" in output) == (0, True), output
    for words, expected in (
        ((pix2pix, "--metrics", "cycle"), "only one direction"),
        ((pix2pix, "--direction", "b-to-a"), "direction 'b-to-a'"),
        ((*folders[:3], "--direction", "b-to-a"), "a translator's run"),
        ((*folders[:3], "--metrics", "psnr,drift"), "the inputs of the images"),
    ):
        code, output = sparring(*words)
        assert (code, expected in output) == (2, True), output
