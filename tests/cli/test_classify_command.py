"""`sparring classify` and `Run.classify`: by counts, by weights, by likelihood, by the auxiliary head; and the refusals."""

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
    """Two classes that anything can tell apart, in an array file."""
    draws, place = np.random.default_rng(0), room / "halves.npz"
    images = draws.integers(0, 100, (60, 8, 8, 1))
    labels = np.arange(60) % 2
    images[labels == 0, :4] += 150
    images[labels == 1, 4:] += 150
    np.savez(place, images=images.astype(np.uint8), labels=labels, classes=np.array(["upper", "lower"]))
    return place


@pytest.fixture(scope="module")
def runs(room: Path, folder: Path) -> dict[str, Path]:
    made = {}
    for name in [*KINDS, "cgan"]:
        document = TINY_RECIPES[name]().to_json()
        training = {"batch": 10, "grid": 4, "report_every": 1000}
        path = room / f"{name}.json"
        path.write_text(json.dumps({"game": document["game"], "training": training}))
        images = {"naive_bayes": 60, "logistic": 3000, "cvae": 2000, "acgan": 300, "cgan": 20}[name]
        options = [str(folder), "--recipe", name, "--config", str(path), "--images", str(images)]
        made[name] = trained([*options, "--out", str(room / f"classify-{name}")])
    return made


@pytest.mark.parametrize("name", KINDS)
def test_what_can_be_told_is_told(sparring, runs, folder: Path, tmp_path: Path, name: str) -> None:
    code, out, _ = sparring("classify", runs[name], folder, "--json", tmp_path / "a.json")
    assert code == 0
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["classes"] == ["lower", "upper"]
    assert len(found["pictures"]) == 60
    assert found["accuracy"] == (pytest.approx(1.0) if name != "acgan" else pytest.approx(0.9, abs=0.1))
    assert np.sum(found["confusion"]) == 60
    assert np.trace(found["confusion"]) == round(60 * found["accuracy"])
    assert f"right: {100 * found['accuracy']:.2f}% of 60" in out
    assert "... and 40 more" in out


@pytest.mark.parametrize("name", KINDS)
def test_probabilities_are_of_each_sample_alone(runs, folder: Path, name: str) -> None:
    with np.load(folder) as arrays:
        images = arrays["images"]
    run = load(runs[name])
    told = run.classify(images)
    assert told.shape == (60, 2)
    assert told.dtype == np.float64
    np.testing.assert_allclose(told.sum(1), 1)
    np.testing.assert_array_equal(run.classify(images[:7]), told[:7])
    assert not np.array_equal(told[0], told[1])


def test_pictures_in_folders_are_brought_to_size_and_compared(
    sparring, runs, tmp_path: Path, messy: Path
) -> None:
    code, out, _ = sparring("classify", runs["naive_bayes"], messy)
    assert code == 0
    assert "no accuracy: the folder's classes dark, light <script>" in out
    assert "skipped 3" in out or "skipped 2" in out
    code, out, _ = sparring("classify", runs["naive_bayes"], messy / "dark" / "3.png")
    assert code == 0
    assert out.startswith("3.png  ")
    assert "right" not in out


def test_the_file_alone_will_do_where_it_holds_the_classifier(runs, folder: Path) -> None:
    with np.load(folder) as arrays:
        images = arrays["images"]
    for name in ("naive_bayes", "logistic", "cvae"):
        alone = load(runs[name] / "generator.safetensors")
        np.testing.assert_array_equal(alone.classify(images), load(runs[name]).classify(images))
    with pytest.raises(SparringError, match="can't tell classes"):
        load(runs["acgan"] / "generator.safetensors").classify(images)


def test_likelihood_is_weighed_by_how_frequent_a_class_is(runs, folder: Path) -> None:
    generation = load(runs["cvae"]).generator.generation
    x = torch.rand(8, 1, 8, 8) * 2 - 1
    before = generation.classifier().log_probabilities(x)
    generation.shares.copy_(torch.tensor([0.9, 0.1]))
    after = generation.classifier().log_probabilities(x)
    odds = (after[:, 0] - after[:, 1]) - (before[:, 0] - before[:, 1])
    torch.testing.assert_close(odds, torch.full_like(odds, float(np.log(9))), rtol=1e-4, atol=1e-4)


def test_refusals_say_what_would_do(sparring, runs, run: Path, points: Path, folder: Path) -> None:
    code, _, err = sparring("classify", runs["cgan"], folder)
    assert code == 2
    assert "names no classes" in err
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


def test_a_classifier_is_not_judged_by_samples(sparring, folder: Path, tmp_path: Path) -> None:
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


def test_unlabelled_pictures_are_one_class(sparring, folder: Path, tmp_path: Path) -> None:
    options = ("--recipe", "naive_bayes", "--set", "data.labels=false", "--quiet")
    assert sparring("train", folder, *options, "--out", tmp_path / "run")[0] == 0
    assert load(tmp_path / "run").sample(3).shape == (3, 8, 8, 1)
    code, _, err = sparring("classify", tmp_path / "run", folder)
    assert code == 2
    assert "can't tell classes" in err


def test_what_comes_next_is_what_can_be_done(sparring, runs, folder: Path) -> None:
    for name, verb in {"logistic": "classify", "naive_bayes": "sample"}.items():
        code, out, _ = sparring("train", "--out", runs[name])
        assert code == 0
        assert f"next       sparring {verb} {runs[name]}" in out
        sparring("report", runs[name])
        assert f"sparring {verb} {runs[name]}" in (runs[name] / "report.html").read_text()
