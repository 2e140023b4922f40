"""`sparring evaluate` on runs and on samples from files: reproducible numbers, or an error that says what is missing."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from sparring.api import load
from sparring.core.errors import ConfigError, DataError, SparringError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import DeviceOptions
from sparring.evaluation import compute
from sparring.evaluation import evaluate as evaluate_module
from sparring.evaluation import result as result_module
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.request import EvaluationRequest
from sparring.evaluation.result import Result
from sparring.evaluation.samples import generate_samples
from sparring.runs import checkpoint
from sparring.runs.load_model import load_checkpoint_model, load_model
from tests.helpers import toy

CPU = DeviceOptions(device="cpu", threads=1)


@pytest.fixture(scope="module")
def run(toy_data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("evaluated") / "run"
    toy.train(toy.request(toy_data, steps=12, more=("data.held_out=12",)), out)
    return out


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (24, 8, 8, 1), dtype=np.uint8)


@pytest.fixture
def sparring(capsys):
    """Runs a command; returns its exit code and its output."""

    def call(*arguments) -> tuple[int, str]:
        code = cli.run([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return code, output.out + output.err

    return call


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "evaluation" not in path.parts
    }


def test_a_run_is_evaluated_and_not_changed(run, sparring, tmp_path) -> None:
    before, json_path = digests(run), tmp_path / "r.json"
    metrics = "fd10-pca-test,kd10-pca-train,auth10-pca"
    code, output = sparring("evaluate", run, "--metrics", metrics, "--json", json_path, "--threads", 1)
    assert code == 0, output
    assert digests(run) == before
    results = [Result.from_json(row) for row in json.loads(json_path.read_text())["results"]]
    assert [result.name for result in results][:2] == ["fd10-pca-test", "kd10-pca-train"]
    assert results[2].protocol.split == "train"
    assert results[0].train_against_test is not None
    assert results[0].provenance["images"] == checkpoint.list_checkpoints(run)[-1]
    assert result_module.read_results(run)[-3:] == results
    page = (run / "evaluation" / "evaluation.html").read_text()
    assert "fd10-pca-test" in page
    assert "data:image/png" in page
    assert "fd10-pca-test" in (run / "evaluation" / "evaluation.md").read_text()
    with Image.open(run / "evaluation" / "closest.png") as sheet:
        assert sheet.width > 100


def test_json_on_standard_output_is_all_that_is_there(run, capsys) -> None:
    arguments = ["evaluate", str(run), "--metrics", "fd10-pca-test", "--json", "-", "--threads", "1"]
    assert cli.run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["results"][0]["protocol"] == "fd10-pca-test"


def test_a_test_set_from_the_training_set_is_reported_and_not_compared_with(run, toy_data) -> None:
    request = EvaluationRequest(subject=run, against=str(toy_data), metrics=("fd10-pca-test",))
    evaluation = evaluate_and_record(request, CPU)
    assert any("also in the training set" in note for note in evaluation.notes)
    assert evaluation.results[0].train_against_test is None
    held_out = evaluate_and_record(EvaluationRequest(subject=run, metrics=("fd10-pca-test",)), CPU)
    assert not held_out.notes
    assert held_out.results[0].train_against_test is not None


def test_a_run_that_is_not_writable_is_evaluated_without_a_report(run, sparring, tmp_path) -> None:
    sealed = tmp_path / "sealed"
    shutil.copytree(run, sealed, ignore=shutil.ignore_patterns("evaluation"))
    (sealed / "evaluation").write_text("a file in the place of the folder")
    code, output = sparring("evaluate", sealed, "--metrics", "fd10-pca-test", "--threads", 1)
    assert code == 0, output
    assert "fd10-pca-test" in output
    assert "no report" in output
    out = sealed / "evaluation" / "x"
    code, output = sparring("evaluate", sealed, "--metrics", "fd10-pca-test", "--out", out)
    assert code == 2


def test_missing_data_or_weights_are_noticed_before_samples_are_generated(run, sparring, monkeypatch) -> None:
    monkeypatch.setattr(evaluate_module, "generate_samples", lambda *_, **__: pytest.fail("generated"))
    for name, part in (("fd100k-pca", "use fd12-pca-test"), ("fd10-inception", "no weights")):
        code, output = sparring("evaluate", run, "--metrics", name, "--threads", 1)
        assert (code, part in output) == (2, True), output


def test_points_in_files(tmp_path, sparring) -> None:
    for seed, name in enumerate(("generated", "real")):
        points = np.random.default_rng(seed).standard_normal((100, 3)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", points=points)
    files = tmp_path / "generated.npz", "--against", tmp_path / "real.npz"
    code, output = sparring("evaluate", *files, "--threads", 1)
    assert code == 0, output
    assert "swd50-points-test" in output


def test_python_interface_is_reproducible(run) -> None:
    first, second = (load(run, "cpu").evaluate(metrics="fd10-pca-test") for _ in range(2))
    assert first[0].values == second[0].values
    assert first[0].compare(second[0]).difference == 0


def test_python_interface_splits_names_at_commas(run) -> None:
    """As in the README: `run.evaluate(metrics="fd,auth")`."""
    results = load(run, "cpu").evaluate(metrics="fd10-pca, auth10-pca")
    assert [result.protocol.metric for result in results] == ["fd", "auth"]
    with pytest.raises(ConfigError) as error:
        load(run, "cpu").evaluate(metrics=" ,")
    assert error.value.got == "metrics without a name"


def test_a_checkpoint_is_the_generator_of_that_time(run) -> None:
    checkpoints = checkpoint.list_checkpoints(run)
    newest, older = load_model(run, toy.cpu()), load_model(run, toy.cpu(), checkpoints[0])
    assert newest.experiment is not None
    spec = newest.generator.spec
    again = load_checkpoint_model(run, newest.experiment, spec, checkpoints[-1], toy.cpu())
    assert np.array_equal(again.sample(0, range(8)).numpy(), newest.generator.sample(0, range(8)).numpy())
    samples = [
        generate_samples(model, 8, 0, ProgressMonitor(), labelled=False).samples for model in (older, newest)
    ]
    assert older.images < newest.images
    assert not np.array_equal(*samples)
    with pytest.raises(SparringError) as error:
        load_model(run, toy.cpu(), 7)
    assert error.value.got.startswith("--checkpoint 7")


def test_a_folder_and_an_array_file_give_the_same_numbers(images, toy_data, tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image[:, :, 0]).save(tmp_path / "folder" / f"{number:03d}.png")
    (tmp_path / "folder" / "notes.txt").write_text("no image")
    np.savez(tmp_path / "samples.npz", images=images)
    values = []
    for name in ("folder", "samples.npz"):
        metrics = ("fd20-pca", "prdc20-pca")
        request = EvaluationRequest(subject=tmp_path / name, against=str(toy_data), metrics=metrics)
        evaluation = evaluate_and_record(request, CPU)
        values.append([result.values for result in evaluation.results])
        has_note = any("notes.txt" in note for note in evaluation.notes)
        assert has_note == (name == "folder"), "skipped files are reported"
    assert values[0] == values[1]


def test_different_sizes_are_refused(images, toy_data, tmp_path, sparring) -> None:
    np.savez(tmp_path / "wide.npz", images=images.repeat(2, axis=2))
    code, output = sparring("evaluate", tmp_path / "wide.npz", "--against", toy_data, "--metrics", "fd20-pca")
    assert code == 2
    assert "8x16" in output
    assert "8x8" in output


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("{samples}",), "--against DATA"),
        (("{samples}", "--against", "{data}", "--metrics", "fdd"), "did you mean fd"),
        (("{samples}", "--against", "{data}", "--metrics", "fd1k-pca"), "use fd24-pca-test"),
        (("{samples}", "--against", "{data}", "--metrics", "fd20-pca-train"), "write -test"),
        (("{samples}", "--against", "{data}", "--metrics", " ,"), "metrics without a name"),
        (("{samples}", "--against", "{data}", "--checkpoint", "3"), "leave --checkpoint out"),
        (("{data}x", "--against", "{data}"), "does not exist"),
        (("{damaged}", "--against", "{data}"), "damaged.npz"),
        (("{one}", "--against", "{data}"), "1 sample"),
    ],
)
def test_errors_say_what_to_do(arguments, part, images, toy_data, tmp_path, sparring, monkeypatch) -> None:
    monkeypatch.setattr(evaluate_module, "has_efficientnet", lambda: False)
    paths = {"data": toy_data} | {name: tmp_path / f"{name}.npz" for name in ("samples", "damaged", "one")}
    np.savez(paths["samples"], images=images)
    np.savez(paths["one"], images=images[:1])
    paths["damaged"].write_bytes(paths["samples"].read_bytes()[:500])
    code, output = sparring("evaluate", *(text.format(**paths) for text in arguments))
    assert code == 2, output
    assert part in output


def test_an_interruption_keeps_finished_results(images, toy_data, tmp_path) -> None:
    np.savez(tmp_path / "s.npz", images=images)
    metrics = ("fd20-pca", "fd20-pixels")
    request = EvaluationRequest(subject=tmp_path / "s.npz", against=str(toy_data), metrics=metrics)
    stop: list[bool] = []

    def on_status(text: str) -> None:
        if "2 of 2" in text:
            stop.append(True)

    evaluation = evaluate_and_record(request, CPU, stop=lambda: bool(stop), on_status=on_status)
    assert evaluation.is_interrupted
    assert [result.name for result in evaluation.results] == ["fd20-pca-test"]


def test_a_default_metric_that_fails_is_a_note(images, toy_data, tmp_path, monkeypatch) -> None:
    """And a requested one is an error."""

    def fail(job):
        raise DataError("broken", "a value", "repair it")

    monkeypatch.setitem(compute.METRICS, "swd", fail)
    np.savez(tmp_path / "s.npz", images=images)
    request = EvaluationRequest(subject=tmp_path / "s.npz", against=str(toy_data), n=20)
    evaluation = evaluate_and_record(request, CPU)
    assert "swd20-pixels-test left out: broken; repair it" in evaluation.notes
    assert {"fd", "auth"} <= {result.protocol.metric for result in evaluation.results}
    with pytest.raises(DataError):
        evaluate_and_record(replace(request, metrics=("swd-pixels",)), CPU)


def test_an_evaluation_does_not_change() -> None:
    evaluation = evaluate_module.Evaluation(request=EvaluationRequest(subject=Path(__file__)), results=())
    with pytest.raises(AttributeError):
        evaluation.is_interrupted = True  # type: ignore[misc]
    assert isinstance(evaluation.results, tuple)


def test_samples_that_are_not_finite_are_refused(run) -> None:
    model = load_model(run, toy.cpu())
    next(model.generator.parameters()).data.fill_(float("nan"))
    with pytest.raises(SparringError) as error:
        generate_samples(model, 8, 0, ProgressMonitor(), labelled=False)
    assert "not finite" in error.value.got
