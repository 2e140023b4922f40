"""`sparring classify` and `Run.classify` with each kind of classifier, and their errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring import load
from sparring.core.errors import DataError, SparringError
from sparring.recipes.table import TINY_RECIPES
from tests.cli.conftest import trained

KINDS = ["naive_bayes", "logistic", "cvae", "acgan"]


@pytest.fixture(scope="module")
def folder(room: Path) -> Path:
    """Two classes that any classifier can separate, in an array file."""
    random, path = np.random.default_rng(0), room / "halves.npz"
    images = random.integers(0, 100, (60, 8, 8, 1))
    labels = np.arange(60) % 2
    images[labels == 0, :4] += 150
    images[labels == 1, 4:] += 150
    np.savez(path, images=images.astype(np.uint8), labels=labels, classes=np.array(["upper", "lower"]))
    return path


@pytest.fixture(scope="module")
def runs(room: Path, folder: Path) -> dict[str, Path]:
    paths = {}
    for name in [*KINDS, "cgan"]:
        document = TINY_RECIPES[name]().to_json()
        training = {"batch": 10, "sample_grid": 4, "report_every": 1000}
        path = room / f"{name}.json"
        path.write_text(json.dumps({"game": document["game"], "training": training}))
        images = {"naive_bayes": 60, "logistic": 3000, "cvae": 2000, "acgan": 300, "cgan": 20}[name]
        options = [str(folder), "--recipe", name, "--config", str(path), "--images", str(images)]
        paths[name] = trained([*options, "--out", str(room / f"classify-{name}")])
    return paths


@pytest.mark.parametrize("name", KINDS)
def test_classes_accuracy_and_confusion_matrix(
    sparring, runs, folder: Path, tmp_path: Path, name: str
) -> None:
    code, out, _ = sparring("classify", runs[name], folder, "--json", tmp_path / "a.json")
    assert code == 0
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["classes"] == ["lower", "upper"]
    assert len(document["images"]) == 60
    assert document["accuracy"] == (pytest.approx(1.0) if name != "acgan" else pytest.approx(0.9, abs=0.1))
    assert np.sum(document["confusion"]) == 60
    assert np.trace(document["confusion"]) == round(60 * document["accuracy"])
    assert f"accuracy: {100 * document['accuracy']:.2f}% of 60" in out
    assert "... and 40 more" in out


@pytest.mark.parametrize("name", KINDS)
def test_probabilities_depend_on_their_own_sample_alone(runs, folder: Path, name: str) -> None:
    with np.load(folder) as arrays:
        images = arrays["images"]
    run = load(runs[name])
    probabilities = run.classify(images)
    assert probabilities.shape == (60, 2)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(run.classify(images[:7]), probabilities[:7])
    assert not np.array_equal(probabilities[0], probabilities[1])


def test_images_in_folders_are_resized_and_their_classes_compared(
    sparring, runs, tmp_path: Path, messy: Path
) -> None:
    code, out, _ = sparring("classify", runs["naive_bayes"], messy)
    assert code == 0
    assert "no accuracy: the folder has classes (dark, light <script>)" in out
    assert "skipped 3" in out or "skipped 2" in out
    code, out, _ = sparring("classify", runs["naive_bayes"], messy / "dark" / "3.png")
    assert code == 0
    assert out.startswith("3.png  ")
    assert "accuracy" not in out


def test_a_generator_file_is_enough_if_it_holds_the_classifier(runs, folder: Path) -> None:
    with np.load(folder) as arrays:
        images = arrays["images"]
    for name in ("naive_bayes", "logistic", "cvae"):
        alone = load(runs[name] / "generator.safetensors")
        np.testing.assert_array_equal(alone.classify(images), load(runs[name]).classify(images))
    with pytest.raises(SparringError) as caught:
        load(runs["acgan"] / "generator.safetensors").classify(images)
    assert "classifier" in caught.value.expected


def test_likelihood_is_weighted_by_class_frequencies(runs, folder: Path) -> None:
    generation = load(runs["cvae"]).generator.generation
    x = torch.rand(8, 1, 8, 8) * 2 - 1
    before = generation.classifier().log_probabilities(x)
    generation.shares.copy_(torch.tensor([0.9, 0.1]))
    after = generation.classifier().log_probabilities(x)
    odds = (after[:, 0] - after[:, 1]) - (before[:, 0] - before[:, 1])
    torch.testing.assert_close(odds, torch.full_like(odds, float(np.log(9))), rtol=1e-4, atol=1e-4)


def test_errors_name_the_recipes_that_work(sparring, runs, run: Path, points: Path, folder: Path) -> None:
    code, _, err = sparring("classify", runs["cgan"], folder)
    assert code == 2
    assert "acgan" in err
    code, _, err = sparring("classify", points, folder)
    assert code == 2
    code, _, err = sparring("sample", runs["logistic"])
    assert code == 2
    assert "no samples" in err
    assert "naive_bayes" in err
    code, _, err = sparring("evaluate", runs["logistic"])
    assert code == 2
    assert "no samples" in err
    with pytest.raises(DataError, match="run's size"):
        load(runs["logistic"]).classify(np.zeros((2, 9, 9, 1), np.uint8))


def test_a_classifier_has_no_metric_of_samples(sparring, folder: Path, tmp_path: Path) -> None:
    options = ("--recipe", "logistic", "--images", 64, "--set", "training.metric=kd20-pixels-train")
    code, _, err = sparring("train", folder, *options, "--out", tmp_path / "run")
    assert code == 2
    assert "has no samples" in err
    assert not (tmp_path / "run").exists()


def test_a_run_of_each_kind_has_a_report(sparring, runs) -> None:
    for name in ("naive_bayes", "logistic"):
        assert sparring("report", runs[name])[0] == 0
        assert sparring("doctor", runs[name])[0] in (0, 1)
        assert (runs[name] / "samples.png").is_file()


def test_unlabelled_images_are_one_class(sparring, folder: Path, tmp_path: Path) -> None:
    options = ("--recipe", "naive_bayes", "--set", "data.labels=false", "--quiet")
    assert sparring("train", folder, *options, "--out", tmp_path / "run")[0] == 0
    assert load(tmp_path / "run").sample(3).shape == (3, 8, 8, 1)
    code, _, err = sparring("classify", tmp_path / "run", folder)
    assert code == 2
    assert "acgan" in err


def test_the_next_command_fits_the_kind_of_model(sparring, runs, folder: Path) -> None:
    for name, verb in {"logistic": "classify", "naive_bayes": "sample"}.items():
        code, out, _ = sparring("train", "--out", runs[name])
        assert code == 0
        assert f"next       sparring {verb} {runs[name]}" in out
        sparring("report", runs[name])
        assert f"sparring {verb} {runs[name]}" in (runs[name] / "report.html").read_text()
