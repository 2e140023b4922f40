"""Files of format 1: what the code of commit 0b93763 wrote is still read, and gives the same samples.

`tests/data/format1` holds two tiny runs (a conditional dcgan with parts whose settings and tags were renamed, and a cyclegan),
what that code made with them (`outputs.npz`), and the settings of all its tiny recipes (`recipes.json`).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import sparring
from sparring.core.errors import ConfigError, CorruptFileError
from sparring.data import DataConfig
from sparring.doctor.balance import detect_discriminator_wins
from sparring.doctor.history import read_history
from sparring.experiment import Experiment
from sparring.parts.objectives import OBJECTIVES
from sparring.recipes.table import TINY_RECIPES
from sparring.report import write as write_report
from sparring.runs import generator_file, records
from sparring.runs.request import Request, build_data_config, read_config_file
from sparring.runs.run_json import load_experiment, load_run_json
from sparring.runs.upgrade import FORMAT, LOST_ABOVE, upgrade

STORED = Path(__file__).parent.parent / "data" / "format1"
RECIPES = json.loads((STORED / "recipes.json").read_text())
NEW_SETTINGS = [
    "game.conditional=true",
    "game.generator={type: dcgan, latent: 8, width: 4, embedding: 8}",
    "game.discriminator={type: dcgan, width: 4}",
    "game.batch_features={type: minibatch_stddev, group_size: 4}",
    "game.penalties=[{type: gradient_penalty, weight: 5.0}, {type: dragan, noise_scale: 0.25}]",
    "game.generator_penalties=[{type: historical_averaging, weight: 0.01}]",
    "game.augmentations=[{type: instance_noise, sigma: {type: linear, start: 0.1, end: 0.0, duration: 64}}]",
    "optimizers.generator.lr={type: cosine, start: 0.0002, end: 0.0, duration: 64, delay: 8, warmup: 16}",
    "data.max_size=32",
    "training.ema_half_life=100.0",
    "training.sample_grid=4",
]


@pytest.fixture
def old_run(tmp_path):
    def copy(name: str) -> Path:
        return Path(shutil.copytree(STORED / name, tmp_path / name))

    return copy


@pytest.fixture(scope="module")
def outputs():
    with np.load(STORED / "outputs.npz") as file:
        return dict(file)


def test_samples_are_those_of_the_old_code(old_run, outputs):
    run = sparring.load(old_run("dcgan"), device="cpu")
    assert run.experiment.game.batch_features is not None
    np.testing.assert_array_equal(run.sample(4, seed=3, labels=[0, 1, 2, 0]), outputs["samples"])


@pytest.mark.parametrize("direction", ["a-to-b", "b-to-a"])
def test_translations_are_those_of_the_old_code(old_run, outputs, direction):
    run = sparring.load(old_run("cyclegan"), device="cpu")
    translated = run.translate(outputs["inputs"], direction=direction)
    np.testing.assert_array_equal(translated, outputs[direction.replace("-", "_")])


def test_run_json_becomes_the_experiment_of_the_new_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (48, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "labelled.npz", images=images, labels=np.arange(48) % 3)
    run = sparring.train(
        "labelled.npz",
        recipe="dcgan",
        images=64,
        batch=8,
        seed=1,
        out="new",
        settings=NEW_SETTINGS,
        device="cpu",
        threads=1,
    )
    old, data = load_experiment(STORED / "dcgan" / "run.json")
    assert old == run.experiment
    assert data == load_experiment(run.path / "run.json")[1]


def test_domain_b_is_read_from_run_json_and_from_the_generator():
    data = load_run_json(STORED / "cyclegan")["data"]
    assert (data["shape_b"], data["paired"]) == ([1, 16, 16], False)
    assert load_run_json(STORED / "cyclegan")["request"]["data_b"] == "b.npz"
    found = generator_file.load(STORED / "cyclegan" / "generator.safetensors")
    assert found.translation.spec.shape_b == (1, 16, 16)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_old_recipes_become_the_new_ones(name):
    document = upgrade({"format": 1, "experiment": RECIPES[name]})
    assert document["format"] == FORMAT
    found = Experiment.from_json(document["experiment"])
    if name == "auto":  # chooses otherwise now
        assert found.game.discriminator.norm == "batch"
    else:
        assert found == TINY_RECIPES[name]()


def test_without_the_upgrade_the_settings_are_refused():
    with pytest.raises(ConfigError):
        Experiment.from_json(RECIPES["cyclegan"])


def test_the_first_runs_had_one_domain():
    plain = {
        name: value for name, value in RECIPES["dcgan"]["data"].items() if name not in ("other", "sides")
    }
    document = upgrade({"format": 1, "experiment": {**RECIPES["dcgan"], "data": plain}})
    assert Experiment.from_json(document["experiment"]).data.pairing == "one"


@pytest.mark.parametrize("tag", sorted({*LOST_ABOVE, "wasserstein"}))
def test_the_doctor_gets_the_facts_of_old_objectives(tag):
    old = {"format": 1, "experiment": {"game": {"type": "adversarial", "objective": {"type": tag}}}}
    assert upgrade(old)["objective"] == {"generator_lost_above": OBJECTIVES[tag].generator_lost_above}


def test_games_without_an_objective_have_no_facts():
    assert "objective" not in upgrade({"format": 1, "experiment": {"game": {"type": "autoencoder"}}})


def test_the_doctor_finds_that_the_discriminator_won_in_an_old_run(tmp_path):
    shutil.copy(STORED / "dcgan" / "run.json", tmp_path)
    rows = [
        {"images": step * 8, "step": step, "generator/adversarial": 9.0, "discriminator/adversarial": 0.001}
        for step in range(100, 1_000, 100)
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert detect_discriminator_wins(read_history(tmp_path)) is not None


def test_the_present_format_is_not_changed():
    document = {"format": FORMAT, "experiment": {"data": {"source": "animals"}}, "other": 1}
    assert upgrade(document) == document


def test_a_newer_format_is_refused(tmp_path):
    document = json.loads((STORED / "dcgan" / "run.json").read_text()) | {"format": FORMAT + 1}
    (tmp_path / "run.json").write_text(json.dumps(document))
    with pytest.raises(CorruptFileError) as caught:
        load_run_json(tmp_path)
    assert caught.value.fix == "update Sparring"


def test_an_old_run_is_not_trained_further(old_run):
    run = old_run("dcgan")
    with pytest.raises(ConfigError) as caught:
        sparring.train(out=run, device="cpu")
    assert "format 1" in caught.value.got
    assert "--out" in caught.value.fix


def test_report_and_doctor_read_an_old_run(old_run):
    run = old_run("dcgan")
    assert records.read_run_json(run)["experiment"]["training"]["total_images"] == 64
    assert "minibatch_stddev" in write_report(run).read_text()


def test_an_old_run_json_serves_as_a_config_file():
    document = read_config_file(STORED / "cyclegan" / "run.json")
    config = build_data_config(Request(document=document), max_size=64)
    assert config == DataConfig(
        source="a.npz", source_b="b.npz", size=(16, 16), channels=1, channels_b=1, pairing="unpaired", flip=True, random_crop=0.1
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"), [("data.groups", "data.pseudo_classes"), ("training.grid", "training.sample_grid")]
)
def test_an_old_setting_names_the_new_one(old, new):
    with pytest.raises(ConfigError) as caught:
        build_data_config(Request(data="animals", settings=(f"{old}=3",)), max_size=64)
    assert old in caught.value.got
    assert new in caught.value.fix
