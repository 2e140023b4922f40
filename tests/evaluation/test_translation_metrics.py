"""Metrics of translated images in closed form, and tiny runs of translators that are judged by them."""

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
from sparring.evaluation import evaluate
from sparring.evaluation.baselines import apply_colour_map, convert_channels, fit_colour_map
from sparring.evaluation.compute_samples import MAX_PSNR
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.measure import measure
from sparring.evaluation.request import EvaluationRequest
from sparring.evaluation.result import Result
from sparring.evaluation.samples import RealSamples
from sparring.evaluation.summary import measurement_details, summarize
from sparring.evaluation.translation_data import TranslationTask, translate_task
from sparring.features.pixels_pca import PCAExtractor, PixelExtractor
from sparring.models.translator import TranslatorModel
from sparring.protocols.defaults import EvaluationContext, default_protocols, resolve_protocols
from sparring.protocols.protocol import EvaluationProtocol
from sparring.protocols.until import default_protocol
from sparring.runs import records
from sparring.runs.request import Request
from sparring.training import validation
from tests.helpers import toy

HERE = DeviceOptions(device="cpu", threads=1)
SIDE, COUNT = 12, 8
SHIFT = 16  # shades


class Shifted(nn.Module):
    """Adds so many shades: a translator of which all is known."""

    multiple = 1

    def __init__(self, shades: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(shades / 127.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.by


def pictures(seed: int, count: int = COUNT, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(40, 200, (count, SIDE, SIDE, channels), dtype=np.uint8)


def dataset(samples: np.ndarray, other: np.ndarray | None = None, paired: bool = True) -> Dataset:
    beside = None if other is None else dataset(other)
    return Dataset(
        samples,
        None,
        (),
        fingerprint="f",
        report=None,  # type: ignore[arg-type]
        config=DataConfig(source="here"),
        domain_b=beside,
        paired=paired and beside is not None,
    )


def line(
    name: str, shades: float, *, b: np.ndarray | None = None, paired: bool = True, back: float | None = None
) -> Result:
    """A translator that adds so many shades, judged on pairs whose truth is 10 shades brighter."""
    a = pictures(0)
    data = dataset(a, (a + 10 if b is None else b).astype(np.uint8), paired)
    nets = Shifted(shades), None if back is None else Shifted(back)
    translation = TranslatorModel(*nets, SampleSpec(shape=(1, SIDE, SIDE), shape_b=(1, SIDE, SIDE)))
    task, protocol = TranslationTask.from_dataset(data), EvaluationProtocol.parse(name)
    sampled = translate_task(translation, task, protocol.count, ProgressMonitor(), source="it")
    extractor = {"pixels": PixelExtractor, "pca": lambda shape: PCAExtractor(data.domain_b.samples)}[
        protocol.extractor
    ](a.shape[1:])  # type: ignore[union-attr]
    return measure(protocol, sampled, RealSamples.from_dataset(task.targets, "test"), extractor)


def test_a_shift_of_so_many_shades_has_a_known_ratio() -> None:
    found = line("psnr8-pixels-test", SHIFT)
    assert found.value == pytest.approx(20 * math.log10(255 / (SHIFT - 10)))
    assert {row.description: round(row.values["psnr"], 6) for row in found.baselines} == {
        "identity": round(20 * math.log10(255 / 10), 6),  # the same as from the images themselves
        "linear": round(float(MAX_PSNR), 6),  # a shift of brightness is a linear map of colours
    }
    assert line("mae8-pixels-test", SHIFT).value == pytest.approx(SHIFT - 10)
    assert found.floor is None, "other real images are no truth"
    assert Result.from_json(found.to_json()) == found


def test_the_truth_itself_is_perfect_and_no_more() -> None:
    assert line("psnr8-pixels-test", 10).value == pytest.approx(float(MAX_PSNR))
    assert line("ssim8-pixels-test", 10).value == pytest.approx(1)
    assert line("perceptual8-pixels-test", 10).value == pytest.approx(0, abs=1e-9)
    assert line("perceptual8-pixels-test", SHIFT).value > 0


def test_pairs_are_pairs() -> None:
    """The truth of each image is compared with it, whatever the order in which real samples are taken."""
    other = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * 20 + np.zeros(
        (1, SIDE, SIDE, 1), np.uint8
    )
    found = line("mae8-pixels-test", 0, b=other)
    expected = np.abs(pictures(0).astype(float) - other).mean()
    assert found.value == pytest.approx(expected)
    assert found.baselines[0].values["mae"] == pytest.approx(expected)
    part = line("mae3-pixels-test", 0, b=other)  # the first three of the order
    each = np.abs(pictures(0).astype(float) - other).mean((1, 2, 3))
    order = RealSamples.from_dataset(dataset(other), "test").order[:3]
    assert part.value == pytest.approx(each[order].mean())


def test_there_and_back() -> None:
    assert line("cycle8-pixels-test", 30, back=-30).value == pytest.approx(float(MAX_PSNR))
    assert line("cycle8-pixels-test", 30, back=-20).value == pytest.approx(20 * math.log10(255 / 10))
    assert line("cycle8-pixels-test", 30, back=-30).baselines == ()
    hidden = line("cycle8-pixels-test", 1000, back=-1000)  # cut off in between, as in a file
    assert hidden.value < 15


def test_drift_is_nothing_for_what_stays_and_one_for_what_goes() -> None:
    x, other = pictures(1, 64, 3), pictures(2, 64, 3)
    assert metrics.edge_drift(x, x).max() == 0
    assert metrics.edge_drift(x, 255 - x).max() == 0
    assert metrics.edge_drift(x, (x // 4 + 100).astype(np.uint8)).max() < 0.05  # up to rounding
    assert metrics.edge_drift(x, np.repeat(metrics.paired.to_grey(x).numpy(), 3, 3)).max() < 1e-6
    assert metrics.edge_drift(x, other).mean() == pytest.approx(1, abs=0.05)
    flat = np.full_like(x, 9)
    assert metrics.edge_drift(flat, flat + 1).max() == 0
    assert metrics.edge_drift(flat, x).min() == 1
    found = line("drift8-pixels-test", 20)
    assert found.value == 0
    assert [row.description for row in found.baselines] == ["identity", "linear", "truth"]


def test_a_linear_map_of_colours_is_found() -> None:
    a = pictures(3, 20, 3)
    matrix = np.array([[0.5, 0.1, 0.0], [0.1, 0.6, 0.2], [0.2, 0.0, 0.5], [10.0, 20.0, 30.0]])
    b = apply_colour_map(a, matrix)
    found = fit_colour_map(a, b, np.arange(20))
    np.testing.assert_allclose(found, matrix, atol=0.35)  # the truth has whole shades
    assert np.abs(apply_colour_map(a, found).astype(int) - b).max() <= 1
    assert fit_colour_map(np.repeat(a[..., :1], 3, 3), b, np.arange(20)).shape == (
        4,
        3,
    )  # singular: grey given as colour


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (1, 4), (4, 1), (4, 3), (3, 4), (3, 3)])
def test_the_input_in_the_other_channels(before: int, after: int) -> None:
    x = np.full((1, 2, 2, before), 90, np.uint8)
    if before == 4:
        x[..., 3] = 0
    made = convert_channels(x, after)
    assert made.shape == (1, 2, 2, after)
    assert made.dtype == np.uint8
    assert made[0, 0, 0, 0] == (255 if before == 4 else 90)  # wholly transparent is white


def test_what_can_not_be_measured_is_refused() -> None:
    with pytest.raises(ConfigError, match="not paired"):
        line("psnr8-pixels-test", 1, paired=False)
    with pytest.raises(ConfigError, match="one way"):
        line("cycle8-pixels-test", 1)
    with pytest.raises(ConfigError, match="no latent space"):
        line("ppl10-pixels-test", 1)
    with pytest.raises(DataError, match="finite"):
        line("psnr8-pixels-test", math.nan)


def test_the_usual_metrics_depend_on_what_is_known() -> None:
    def names(*known: str) -> list[str]:
        facts = EvaluationContext(
            spec=SampleSpec(shape=(3, 32, 32)),
            counts={"train": 900, "test": 120},
            made=None,
            source="x",
            network=False,
            inputs={"train": 900, "test": 130},
            known=frozenset(known),
        )
        return [str(one) for one in default_protocols(facts)] + [
            str(one) for one in resolve_protocols(["fd"], facts)
        ]

    pairs = names("truth", "input")
    assert pairs[:4] == [
        "psnr120-pixels-test",
        "ssim120-pixels-test",
        "mae120-pixels-test",
        "perceptual120-pca-test",
    ]
    assert not [name for name in pairs if name.startswith(("cycle", "drift", "auth"))]
    assert names("input", "way back")[3:5] == ["drift130-pixels-test", "cycle130-pixels-test"]
    assert default_protocol("psnr", SampleSpec(shape=(3, 32, 32)), (400, 30)) == "psnr30-pixels-test"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """Grey squares, and the same in colour."""
    root, draws = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for part, count in (("train", 16), ("test", 12)):
        for number in range(count):
            x = np.full((16, 16), 240, np.uint8)
            at = draws.integers(0, 9, 2)
            x[at[0] : at[0] + 6, at[1] : at[1] + 6] = draws.integers(0, 120)
            for side, picture in (("A", x), ("B", np.stack([255 - x, x, x // 2], 2))):
                (root / part / side).mkdir(parents=True, exist_ok=True)
                Image.fromarray(picture).save(root / part / side / f"{number:03d}.png")
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
    asked = Request(data=str(data), recipe=recipe, images=16, batch=4, size=(16, 16), settings=settings)
    toy.play(asked, out)
    return out


@pytest.fixture(scope="module")
def cyclic(pairs, tmp_path_factory) -> Path:
    return train(pairs / "train", "cyclegan", tmp_path_factory.mktemp("cyclic") / "run")


@pytest.fixture(scope="module")
def judged(pairs, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("judged") / "run"
    return train(pairs, "pix2pix", out, "training.metric=psnr12-pixels-test", "training.evaluate_every=8")


def test_a_run_is_judged_while_it_is_trained_and_ends_with_the_same_bits(pairs, judged, tmp_path) -> None:
    rows = records.read_evaluations(judged)
    assert [row["images"] for row in rows] == [8, 16]
    assert all(5 < row["value"] < 60 and row["better"] == "higher" for row in rows)
    assert toy.digest(judged, logs=False) == toy.digest(train(pairs, "pix2pix", tmp_path / "run"), logs=False)
    later = evaluate_and_record(
        EvaluationRequest(subject=judged, metrics=("psnr12-pixels-test",)), HERE
    ).results[0]
    assert later.value == pytest.approx(rows[-1]["value"]), "the same images, as they are saved"
    assert (
        dict(measurement_details(later))["linear"]
        == "colours by least squares on 16 pairs of the training set"
    )
    assert "the input itself gets" in summarize(later)


def test_training_is_not_judged_by_what_can_not_be_had(pairs, tmp_path) -> None:
    validation.clear_prepared()
    with pytest.raises(ConfigError, match="not paired"):
        train(pairs / "train", "cyclegan", tmp_path / "run", "training.metric=psnr12-pixels-train")
    with pytest.raises(ConfigError, match="one way"):
        train(pairs, "pix2pix", tmp_path / "run", "training.metric=cycle12-pixels-test")


def test_an_unpaired_run_is_scored_on_true_pairs(pairs, cyclic) -> None:
    """Hidden truth, in both directions; and what is known without it."""
    wanted = ("psnr", "cycle", "drift")
    lines = [
        evaluate_and_record(
            EvaluationRequest(subject=cyclic, against=str(pairs / "test"), metrics=wanted, direction=way),
            HERE,
        ).results
        for way in (None, "b-to-a")
    ]
    assert [one.name for one in lines[0]] == [f"{name}12-pixels-test" for name in wanted]
    assert [one[0].provenance["direction"] for one in lines] == ["a-to-b", "b-to-a"]
    truth = open_data(DataConfig(source=str(pairs / "test"), size=(16, 16), pairing="paired"))
    assert truth.domain_b is not None
    expected = metrics.psnr(truth.domain_b.samples, convert_channels(np.asarray(truth.samples), 3)).mean()
    assert lines[0][0].baselines[0].values["psnr"] == pytest.approx(float(expected))
    known = evaluate.open_inputs(
        EvaluationRequest(subject=cyclic),
        lambda pictures: toy.cpu(),
        ProgressMonitor(),
        lambda description: None,
    )
    assert known.known("train") == {"input", "way back"}


def test_one_side_alone_gets_what_needs_no_truth(pairs, cyclic) -> None:
    done = evaluate_and_record(
        EvaluationRequest(subject=cyclic, against=str(pairs / "test" / "B"), metrics=("kd10-pca", "drift")),
        HERE,
    )
    assert [one.protocol.metric for one in done.results] == ["kd", "drift"]
    assert any("one domain" in note for note in done.notes)


def test_pairs_side_by_side_are_seen_as_pairs(pairs, judged, tmp_path) -> None:
    for place in (pairs / "test" / "A").iterdir():
        sides = [np.asarray(Image.open(pairs / "test" / side / place.name).convert("RGB")) for side in "AB"]
        Image.fromarray(np.concatenate(sides, 1)).save(tmp_path / place.name)
    there, here = (
        evaluate_and_record(
            EvaluationRequest(subject=judged, against=str(against), metrics=("psnr12-pixels-test",)), HERE
        ).results[0]
        for against in (tmp_path, pairs / "test")
    )
    assert there.value == pytest.approx(here.value)


def test_on_the_command_line(pairs, judged, tmp_path, capsys) -> None:
    def told(*words) -> tuple[int, str]:
        code = cli.run(["evaluate", *map(str, words), "--threads", "1", "--out", str(tmp_path / "out")])
        said = capsys.readouterr()
        return code, said.out + said.err

    code, said = told(judged, "--metrics", "psnr,ssim,kd10-pca")
    assert (code, "identity" in said, "linear" in said) == (0, True, True), said
    folders = pairs / "test" / "B", "--against", pairs / "test" / "B", "--metrics", "psnr,mae"
    code, said = told(*folders)
    assert (code, "58.92" in said) == (0, True), said
    for words, expected in (
        ((judged, "--metrics", "cycle"), "goes one way"),
        ((judged, "--direction", "b-to-a"), "direction 'b-to-a'"),
        ((*folders[:3], "--direction", "b-to-a"), "a translator's run"),
        ((*folders[:3], "--metrics", "psnr,drift"), "what the images were made from"),
    ):
        code, said = told(*words)
        assert (code, expected in said) == (2, True), said
