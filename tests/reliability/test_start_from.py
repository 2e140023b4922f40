"""A run that begins with the weights of another one: what it takes, that it needs its source only once; resuming is exact."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sparring.core.errors import ConfigError, CorruptFileError, SparringError
from sparring.runs import checkpoint, generator_file
from sparring.runs.run_json import load_run_json
from sparring.training.state import TrainState
from sparring.training.transfer import START_FILE
from tests.helpers import toy

CONDITIONAL = ("game.conditional=true", "game.head=projection")
CONVOLUTIONS = (
    "game.generator={type: resnet, latent: 4, width: 4, max_width: 4, start_size: 4}",
    "game.discriminator={type: resnet, width: 4, max_width: 4, end_size: 4, flat_blocks: 1}",
)
SHORT = {"steps": 4, "save": 2, "report": 2}


def write_images(folder, name="other", count=48, size=8, channels=1, classes=()):
    """An array file of noise; with names of classes a folder of PNG files for each."""
    draws = np.random.default_rng(1)
    path = folder / f"{name}.npz"
    labels = {"labels": np.array(classes)[np.arange(count) % len(classes)]} if classes else {}
    np.savez(path, images=draws.integers(0, 256, (count, size, size, channels), dtype=np.uint8), **labels)
    return path


def begin(data, out, source, **changes):
    """Train for two steps from a source; returns the entry `from` of run.json."""
    fields = {
        "settings": ("training.sample_grid=2",),
        "recipe": None,
        "batch": None,
        "start_from": str(source),
    }
    toy.train(toy.request(data, **{**SHORT, "steps": 2, **fields, **changes}), out)
    return load_run_json(out)["from"]


def start_tensors(run):
    return load_file(run / START_FILE)


def newest(run):
    images = checkpoint.list_checkpoints(run)[-1]
    return load_file(run / "checkpoints" / f"{images:012d}" / "tensors.safetensors")


def train_source(data, out, *more):
    toy.train(toy.request(data, **SHORT, more=more), out)
    return out


@pytest.fixture(scope="module")
def source(toy_data, tmp_path_factory):
    """A conditional run of three classes, its perceptrons with batch and spectral normalisation."""
    return train_source(toy_data, tmp_path_factory.mktemp("source") / "run", *CONDITIONAL)


@pytest.fixture(scope="module")
def plain_source(toy_data, tmp_path_factory):
    return train_source(toy_data, tmp_path_factory.mktemp("plain") / "run")


@pytest.fixture(scope="module")
def image_source(toy_data, tmp_path_factory):
    return train_source(toy_data, tmp_path_factory.mktemp("images") / "run", *CONVOLUTIONS)


def test_everything_is_taken_for_the_same_data(toy_data, source, tmp_path):
    entry = begin(toy_data, tmp_path / "run", source)
    begun, before = start_tensors(tmp_path / "run"), newest(source)
    assert entry["fresh"] == []
    assert entry["weights_taken"] == entry["weights"] > 0
    assert entry["images"] == checkpoint.list_checkpoints(source)[-1]
    assert entry["source"] == str(source)
    trained = [
        name
        for name in before
        if name.startswith(("game.generation", "game.discriminator", "average.module"))
    ]
    exact = [name for name in trained if not name.endswith("shares")]
    assert all(torch.equal(begun[name], before[name]) for name in exact)
    assert not torch.equal(
        begun["average.module.generator.layers.0.linear.weight"],
        begun["game.generation.generator.layers.0.linear.weight"],
    )


def test_the_source_s_settings_are_the_default(toy_data, source, tmp_path):
    begin(toy_data, tmp_path / "run", source)
    old, new = (load_run_json(run)["experiment"] for run in (source, tmp_path / "run"))
    assert new["recipe"] == "gan"
    assert new["game"]["generator"] == old["game"]["generator"]
    assert new["game"]["penalties"] == old["game"]["penalties"]
    assert new["training"]["batch"] == old["training"]["batch"]


def test_rows_of_classes_go_by_their_names(toy_data, tmp_path):
    first = train_source(
        write_images(tmp_path, "first", classes=("cat", "cow", "dog")), tmp_path / "a", *CONDITIONAL
    )
    other = write_images(tmp_path, classes=("ant", "cow", "dog", "eel"))
    entry = begin(other, tmp_path / "b", first)
    old, new = newest(first), start_tensors(tmp_path / "b")
    for name in (
        "game.generation.generator.labels.embed.weight",
        "game.discriminator.judge.embed.parametrizations.weight.original",
    ):
        assert torch.equal(new[name][[1, 2]], old[name][[1, 2]])
        assert new[name].shape[0] == 4
        assert not torch.isin(new[name][[0, 3]], old[name]).any()
    assert entry["fresh"] == []
    assert entry["weights_taken"] < entry["weights"]
    assert torch.allclose(new["game.generation.shares"], torch.full((4,), 0.25))


def test_classes_of_other_names_begin_anew(source, tmp_path):
    entry = begin(write_images(tmp_path, classes=("x", "y", "z")), tmp_path / "run", source)
    assert sorted(entry["fresh"]) == ["discriminator.judge.embed", "generation.generator.labels.embed"]
    old, new = newest(source), start_tensors(tmp_path / "run")
    name = "game.generation.generator.labels.embed.weight"
    assert new[name].shape == old[name].shape
    assert not torch.isin(new[name], old[name]).any()


@pytest.mark.parametrize("way", ["with labels", "without labels"])
def test_a_model_with_labels_and_one_without(toy_data, source, plain_source, tmp_path, way):
    """The first layer keeps the weights of its latent."""
    name = "game.generation.generator.layers.0.linear.weight"
    if way == "with labels":
        entry = begin(toy_data, tmp_path / "run", plain_source, settings=CONDITIONAL)
        old, new = newest(plain_source)[name], start_tensors(tmp_path / "run")[name]
        assert torch.equal(new[:, : old.shape[1]], old)
        assert new.shape[1] > old.shape[1]
        assert "generation.generator.labels.embed" in entry["fresh"]
        return
    entry = begin(write_images(tmp_path), tmp_path / "run", source)
    old, new = newest(source)[name], start_tensors(tmp_path / "run")[name]
    assert torch.equal(new, old[:, : new.shape[1]])
    assert new.shape[1] < old.shape[1]
    assert load_run_json(tmp_path / "run")["experiment"]["game"]["conditional"] is False
    assert "game.conditional: True -> False" in entry["changes"]


def test_another_size_takes_the_layers_that_fit(image_source, tmp_path):
    entry = begin(write_images(tmp_path, size=16), tmp_path / "run", image_source, size=(16, 16))
    assert "generation.generator.dense" in entry["taken"]
    assert "generation.generator.blocks.0.enter" in entry["taken"]
    assert all(".blocks." in layer for layer in entry["fresh"])
    assert load_run_json(tmp_path / "run")["data"]["shape"] == [1, 16, 16]


def test_the_source_s_size_is_the_default(image_source, tmp_path):
    entry = begin(write_images(tmp_path, size=16), tmp_path / "run", image_source)
    assert load_run_json(tmp_path / "run")["data"]["shape"] == [1, 8, 8]
    assert entry["fresh"] == []


def test_colour_from_grey_takes_all_but_the_ends(image_source, tmp_path):
    entry = begin(write_images(tmp_path, channels=3), tmp_path / "run", image_source)
    assert load_run_json(tmp_path / "run")["data"]["shape"] == [3, 8, 8]
    assert sorted(entry["fresh"]) == [
        "discriminator.body.blocks.0.enter", "discriminator.body.blocks.0.skip", "generation.generator.last"
    ]  # fmt: skip
    tensors = newest(tmp_path / "run")
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_a_spectral_norm_whose_weight_is_fresh_is_estimated_anew(image_source, tmp_path):
    """A vector of the source beside a fresh weight would give a singular value near 0, and huge weights."""
    begin(write_images(tmp_path, channels=3), tmp_path / "run", image_source)
    tensors = start_tensors(tmp_path / "run")
    prefix = "game.discriminator.body.blocks.0.enter.parametrizations.weight"
    matrix = tensors[f"{prefix}.original"].permute(0, 2, 3, 1).flatten(1)
    u, v = tensors[f"{prefix}.0.u"], tensors[f"{prefix}.0.v"]
    assert float(u @ matrix @ v) == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=0.1)


def test_of_a_generator_file_the_generator_is_taken(toy_data, source, tmp_path):
    file = shutil.copy(source / generator_file.GENERATOR_FILE, tmp_path / "g.safetensors")
    entry = begin(toy_data, tmp_path / "run", file)
    assert {layer.split(".")[0] for layer in entry["fresh"]} == {"discriminator"}
    assert {layer.split(".")[0] for layer in entry["taken"]} == {"generation"}
    begun, average = start_tensors(tmp_path / "run"), load_file(file)
    for prefix in ("game.generation", "average.module"):
        name = "generator.layers.0.linear.weight"
        assert torch.equal(begun[f"{prefix}.{name}"], average[name])


def test_a_recipe_of_one_s_own_keeps_the_networks(toy_data, source, tmp_path):
    begin(toy_data, tmp_path / "run", source, recipe="lsgan")
    document = load_run_json(tmp_path / "run")["experiment"]
    assert document["recipe"] == "lsgan"
    assert document["game"]["objective"]["type"] == "least_squares"
    assert document["game"]["generator"] == load_run_json(source)["experiment"]["game"]["generator"]


REFUSED = {
    "nothing there": ({"start_from": "nowhere/at/all"}, "no run there"),
    "another kind": ({"recipe": "vae"}, "for the recipe vae"),
    "points": ({"data": "ring"}, "points"),
    "another network": ({"settings": ("game.generator={type: dcgan, width: 4}",)}, "weights fit"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_t_be_a_start_is_refused_before_a_folder_exists(toy_data, source, tmp_path, case):
    changes, part = REFUSED[case]
    changes = {"start_from": str(source), **changes}
    with pytest.raises(ConfigError) as caught:
        begin(changes.pop("data", toy_data), tmp_path / "run", changes.pop("start_from"), **changes)
    assert part in caught.value.got
    assert caught.value.expected
    assert caught.value.fix
    assert not (tmp_path / "run").exists()


def test_weights_that_are_not_finite_are_refused(toy_data, source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "broken")
    shutil.rmtree(broken / "checkpoints")
    path = broken / generator_file.GENERATOR_FILE
    tensors = load_file(path)
    tensors["generator.layers.0.linear.weight"][0, 0] = float("nan")
    header = generator_file.tensor_file.read_header(path.read_bytes())[1]
    save_file(tensors, path, header)
    with pytest.raises(CorruptFileError, match="not finite"):
        begin(toy_data, tmp_path / "run", broken)


def test_a_damaged_checkpoint_is_skipped(toy_data, source, tmp_path):
    broken = shutil.copytree(source, tmp_path / "broken")
    images = checkpoint.list_checkpoints(broken)
    (broken / "checkpoints" / f"{images[-1]:012d}" / "tensors.safetensors").write_bytes(b"")
    assert begin(toy_data, tmp_path / "run", broken)["images"] == images[-2]


def test_a_run_needs_its_source_only_once(toy_data, source, tmp_path):
    """The same command resumes without it, also if it was killed before the first checkpoint, with the same bits."""
    moved = shutil.copytree(source, tmp_path / "source")
    request = replace(
        toy.request(toy_data, **SHORT, recipe=None, batch=None, settings=("training.sample_grid=2",)),
        start_from=str(moved),
    )
    toy.train(request, tmp_path / "whole")
    for name, kill in (("early", "save"), ("late", "step")):
        with pytest.MonkeyPatch.context() as patch:
            killed = kill_at(patch, kill)
            with pytest.raises(killed):
                toy.train(request, tmp_path / name)
    shutil.rmtree(moved)
    for name in ("early", "late"):
        assert toy.train(request, tmp_path / name).outcome == "finished"
        assert toy.digest(tmp_path / name) == toy.digest(tmp_path / "whole")
        assert toy.train(request, tmp_path / name).was_finished
    with pytest.raises(ConfigError, match="start_from"):
        toy.train(replace(request, start_from="elsewhere"), tmp_path / "whole")


def kill_at(patch, place):
    """End like a kill does: before the first checkpoint is written, or in the third step."""

    class Killed(BaseException):
        pass

    step = TrainState.train_step

    def die(*arguments, **options):
        raise Killed

    def stepping(self):
        return die() if self.clock.step == 3 else step(self)

    if place == "save":
        patch.setattr(checkpoint, "save", die)
    else:
        patch.setattr(TrainState, "train_step", stepping)
    return Killed


def test_a_lost_start_is_an_error_and_no_random_start(toy_data, source, tmp_path):
    run = tmp_path / "run"
    begin(toy_data, run, source)
    shutil.rmtree(run / "checkpoints")
    (run / START_FILE).write_bytes((run / START_FILE).read_bytes()[:-1] + b"\x00")
    with pytest.raises(CorruptFileError, match="was changed"):
        begin(toy_data, run, source)
    (run / START_FILE).unlink()
    with pytest.raises(SparringError, match=START_FILE):
        begin(toy_data, run, source)


def test_entries_of_the_run_are_json(toy_data, source, tmp_path):
    entry = begin(toy_data, tmp_path / "run", source)
    document = json.loads((tmp_path / "run" / "run.json").read_text())
    assert document["from"] == entry
    assert len(entry["sha256"]) == 64
