"""`sparring evaluate` on runs and on samples made by anything: the same numbers, or a refusal that names the need."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparring import cli
from sparring.api import load
from sparring.core.errors import SparringError
from sparring.core.progress import ProgressMonitor
from sparring.core.runtime import DeviceOptions
from sparring.evaluation import evaluate, result
from sparring.evaluation import evaluate as reading
from sparring.evaluation.evaluate import evaluate_and_record
from sparring.evaluation.request import EvaluationRequest
from sparring.evaluation.result import Result
from sparring.evaluation.samples import generate_samples
from sparring.runs import checkpoint, load_model
from sparring.runs.load_model import open_model
from tests.helpers import toy

HERE = DeviceOptions(device="cpu", threads=1)


@pytest.fixture(scope="module")
def run(toy_data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("judged") / "run"
    toy.play(toy.request(toy_data, steps=12, more=("data.held_out=12",)), out)
    return out


@pytest.fixture(scope="module")
def arrays() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (24, 8, 8, 1), dtype=np.uint8)


@pytest.fixture
def told(capsys):
    """Runs a command; its exit code and all that it said."""

    def give(*arguments) -> tuple[int, str]:
        code = cli.run([str(word) for word in arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return give


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "evaluation" not in path.parts
    }


def test_a_run_is_judged_and_left_as_it_was(run, told, tmp_path) -> None:
    before = digests(run)
    code, said = told(
        "evaluate",
        run,
        "--metrics",
        "fd10-pca-test,kd10-pca-train,auth10-pca",
        "--json",
        tmp_path / "r.json",
        "--threads",
        1,
    )
    assert code == 0, said
    assert digests(run) == before
    lines = [Result.from_json(one) for one in json.loads((tmp_path / "r.json").read_text())["lines"]]
    assert [line.name for line in lines][:2] == ["fd10-pca-test", "kd10-pca-train"]
    assert lines[2].protocol.split == "train"
    assert lines[0].train_against_test is not None
    assert lines[0].provenance["images"] == checkpoint.list_checkpoints(run)[-1]
    assert result.read_results(run)[-3:] == lines
    page = (run / "evaluation" / "evaluation.html").read_text()
    assert "fd10-pca-test" in page
    assert "data:image/png" in page
    assert "fd10-pca-test" in (run / "evaluation" / "evaluation.md").read_text()
    with Image.open(run / "evaluation" / "closest.png") as sheet:
        assert sheet.width > 100


def test_a_test_set_that_was_trained_on_is_told_and_proves_nothing(run, toy_data) -> None:
    done = evaluate_and_record(
        EvaluationRequest(subject=run, against=str(toy_data), metrics=("fd10-pca-test",)), HERE
    )
    assert any("test samples are also in the training set" in note for note in done.notes)
    assert done.results[0].train_against_test is None
    assert not evaluate_and_record(EvaluationRequest(subject=run, metrics=("fd10-pca-test",)), HERE).notes, (
        "held-out ones were not"
    )


def test_a_run_that_can_not_be_written_to_is_judged_all_the_same(run, told, tmp_path) -> None:
    sealed = tmp_path / "sealed"
    shutil.copytree(run, sealed, ignore=shutil.ignore_patterns("evaluation"))
    (sealed / "evaluation").write_text("a file in the place of the folder")
    code, said = told("evaluate", sealed, "--metrics", "fd10-pca-test", "--threads", 1)
    assert code == 0, said
    assert "fd10-pca-test" in said
    assert "no report" in said
    code, said = told("evaluate", sealed, "--metrics", "fd10-pca-test", "--out", sealed / "evaluation" / "x")
    assert code == 2


def test_no_sample_is_made_before_it_is_known_that_the_real_ones_suffice(run, told, monkeypatch) -> None:
    monkeypatch.setattr(reading, "generate_samples", lambda *_, **__: pytest.fail("samples were made"))
    for name, word in (("fd100k-pca", "use fd12-pca-test"), ("fd10-inception", "no weights")):
        code, said = told("evaluate", run, "--metrics", name, "--threads", 1)
        assert (code, word in said) == (2, True), said


def test_points_are_judged_as_they_are_saved(tmp_path, told) -> None:
    for seed, name in enumerate(("made", "real")):
        points = np.random.default_rng(seed).standard_normal((100, 3)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", points=points)
    code, said = told("evaluate", tmp_path / "made.npz", "--against", tmp_path / "real.npz", "--threads", 1)
    assert code == 0, said
    assert "swd50-points-test" in said


def test_python_gives_the_same_numbers(run) -> None:
    judged = load(run, "cpu")
    first, second = (judged.evaluate(metrics="fd10-pca-test") for _ in range(2))
    assert first[0].values == second[0].values
    assert first[0].compare(second[0]).difference == 0


def test_a_checkpoint_is_the_generator_of_its_time(run) -> None:
    newest = checkpoint.list_checkpoints(run)[-1]
    file = open_model(run, toy.cpu())
    made = load_model._load_checkpoint_model(run, file.experiment, file.generation.spec, newest, toy.cpu())
    assert np.array_equal(made.sample(0, range(8)).numpy(), file.generation.sample(0, range(8)).numpy())
    older = open_model(run, toy.cpu(), checkpoint.list_checkpoints(run)[0])
    samples = [
        generate_samples(one, 8, 0, ProgressMonitor(), labelled=False).samples for one in (older, file)
    ]
    assert older.images < file.images
    assert not np.array_equal(*samples)
    with pytest.raises(SparringError, match="one of"):
        open_model(run, toy.cpu(), 7)


def test_samples_of_anything_give_the_same_numbers_in_any_wrapping(arrays, toy_data, tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    for number, array in enumerate(arrays):
        Image.fromarray(array[:, :, 0]).save(tmp_path / "folder" / f"{number:03d}.png")
    (tmp_path / "folder" / "notes.txt").write_text("no image")
    np.savez(tmp_path / "samples.npz", images=arrays)
    found = []
    for name in ("folder", "samples.npz"):
        wish = EvaluationRequest(
            subject=tmp_path / name, against=str(toy_data), metrics=("fd20-pca", "prdc20-pca")
        )
        done = evaluate_and_record(wish, HERE)
        found.append([line.values for line in done.results])
        assert (name == "folder") == any("notes.txt" in note for note in done.notes), (
            "what is skipped is said"
        )
    assert found[0] == found[1]


def test_other_sizes_are_refused_with_both(arrays, toy_data, tmp_path, told) -> None:
    np.savez(tmp_path / "wide.npz", images=arrays.repeat(2, axis=2))
    code, said = told("evaluate", tmp_path / "wide.npz", "--against", toy_data, "--metrics", "fd20-pca")
    assert code == 2
    assert "8x16" in said
    assert "8x8" in said


@pytest.mark.parametrize(
    ("arguments", "word"),
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
def test_a_mistake_is_told_with_its_remedy(
    arguments, word, arrays, toy_data, tmp_path, told, monkeypatch
) -> None:
    monkeypatch.setattr(evaluate, "has_efficientnet", lambda: False)
    places = {"data": toy_data, "samples": tmp_path / "s.npz", "damaged": tmp_path / "damaged.npz"}
    places["one"] = tmp_path / "one.npz"
    np.savez(places["samples"], images=arrays)
    np.savez(places["one"], images=arrays[:1])
    places["damaged"].write_bytes(places["samples"].read_bytes()[:500])
    code, said = told("evaluate", *(text.format(**places) for text in arguments))
    assert code == 2, said
    assert word in said


def test_a_stop_keeps_what_is_finished(arrays, toy_data, tmp_path) -> None:
    np.savez(tmp_path / "s.npz", images=arrays)
    wish = EvaluationRequest(
        subject=tmp_path / "s.npz", against=str(toy_data), metrics=("fd20-pca", "fd20-pixels")
    )
    stop: list[bool] = []

    def say(what: str) -> None:
        if "2 of 2" in what:
            stop.append(True)

    done = evaluate_and_record(wish, HERE, stop=lambda: bool(stop), say=say)
    assert done.stopped
    assert [line.name for line in done.results] == ["fd20-pca-test"]


def test_a_broken_generator_gives_no_number(run, monkeypatch) -> None:
    found = open_model(run, toy.cpu())
    parameter = next(found.generation.parameters())
    parameter.data.fill_(float("nan"))
    with pytest.raises(SparringError, match="not finite"):
        generate_samples(found, 8, 0, ProgressMonitor(), labelled=False)
