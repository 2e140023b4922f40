"""Folders in the layout of the hub: written, loaded, pushed and pulled; and hostile content of downloaded ones."""

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image, PngImagePlugin

import sparring
from sparring.cli.export import default_name
from sparring.core.errors import CorruptFileError, SparringError
from sparring.export import EXPORTS, ExportJob, hub
from sparring.export.model_card import render_model_card
from sparring.runs import generator_file
from sparring.runs.run_json import RUN_FILE
from tests.helpers import toy
from tests.helpers.export_networks import build_translator, make_metadata


@pytest.fixture(scope="module")
def run(toy_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "run"
    toy.train(toy.request(toy_data, steps=4, save=2, report=2), folder)
    row = {"images": 32, "protocol": "fd1k-pca-test", "value": 12.5, "better": "lower"}
    (folder / "evaluations.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def make_job(run, out, license="cc0-1.0"):
    loaded = sparring.load(run, "cpu").generator
    return ExportJob(model=loaded.model, metadata=loaded.metadata, source=run, out=out, license=license)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("hub") / "model"
    EXPORTS["safetensors"](make_job(run, out))
    return out


def test_folder_loads_and_gives_the_same_samples(run, folder):
    assert np.array_equal(sparring.load(folder, "cpu").sample(5), sparring.load(run, "cpu").sample(5))
    assert json.loads((folder / "config.json").read_text())["game"]["type"] == "adversarial"
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors", "config.json", "README.md", "samples.png", "EXPORTED.txt"
    }  # fmt: skip


def test_card_has_license_data_and_results(run, folder):
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == "cc0-1.0"
    assert front["library_name"] == "sparring"
    assert front["pipeline_tag"] == "unconditional-image-generation"
    assert front["datasets"] == ["toy.npz"]  # the name without its path
    assert front["model-index"][0]["results"][0]["metrics"] == [{"type": "fd1k-pca-test", "value": 12.5}]
    assert "| fd1k-pca-test | 12.5 |" in text
    assert str(run.parent) not in text


def test_card_without_license_and_with_markup_in_names(run):
    job = make_job(run, run, "")
    text = render_model_card(
        job.model, {**job.metadata, "recipe": "x`\n---\nlicense: mit\n<script>"}, run, ""
    )
    assert yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))["license"] == "unknown"
    assert "--license" in text
    assert "<script>" not in text.split("\n---\n")[1]


class FakeClient:
    """Stands in for huggingface_hub and its HfApi."""

    def __init__(self, folder):
        self.folder, self.calls = folder, []

    def create_repo(self, name, **options):
        self.calls.append(("create", name, options))

    def upload_folder(self, **options):
        self.calls.append(("upload", options["repo_id"], sorted(os.listdir(options["folder_path"]))))

    def hf_hub_download(self, name, file, revision=None):
        self.calls.append(("download", name, file, revision))
        return str(self.folder / file)


def test_push_and_pull(run, folder, monkeypatch):
    client = FakeClient(folder)
    assert hub.push(folder, "someone/faces", client) == "hf://someone/faces"
    assert client.calls[0][2]["private"] is True
    monkeypatch.setattr(hub, "_import_hub_client", lambda: client)
    loaded = sparring.load("hf://someone/faces@v1", "cpu")
    assert client.calls[-1] == ("download", "someone/faces", "model.safetensors", "v1")
    assert np.array_equal(loaded.sample(3), sparring.load(run, "cpu").sample(3))


def test_errors_of_the_hub_are_reported(folder):
    def refuse(*_, **__):
        raise OSError("401: no token")

    with pytest.raises(SparringError, match="401: no token"):
        hub.push(folder, "someone/faces", SimpleNamespace(create_repo=refuse))
    with pytest.raises(SparringError, match="401: no token"):
        hub.pull("hf://someone/faces", SimpleNamespace(hf_hub_download=refuse))
    with pytest.raises(SparringError, match="--push"):
        hub.push(folder, "../faces", FakeClient(folder))


def test_huge_file_is_refused_before_it_is_read(folder, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_bytes((folder / "model.safetensors").read_bytes())
    os.truncate(path, 2**36)  # sparse
    monkeypatch.setattr(generator_file.storage, "read", lambda path: pytest.fail("it was read"))
    with pytest.raises(CorruptFileError, match="at most"):
        generator_file.load(path)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"{}", b"\xff\xfe", b'{"format": 1}', b" " * 9_000_000, b"null"]
)
def test_malformed_run_json_is_refused(run, tmp_path, content):
    (tmp_path / RUN_FILE).write_bytes(content)
    (tmp_path / generator_file.GENERATOR_FILE).write_bytes((run / generator_file.GENERATOR_FILE).read_bytes())
    with pytest.raises(CorruptFileError):
        _ = sparring.load(tmp_path, "cpu").experiment
    assert len(sparring.load(tmp_path, "cpu").sample(2)) == 2  # sampling needs no run.json


def test_card_of_a_translator_has_the_preview_of_its_run(tmp_path):
    model, source = build_translator(), tmp_path / "run"
    source.mkdir()
    grid = np.arange(24, dtype=np.uint8).reshape(4, 6)
    file = source / "samples.png"
    extra = PngImagePlugin.PngInfo()
    extra.add_text("path", "/home/user")
    Image.fromarray(grid).save(file, pnginfo=extra)
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(hub._preview_png(model, {}, source))).convert("L")), grid
    )
    assert b"/home/user" not in hub._preview_png(model, {}, source)
    text = render_model_card(model, make_metadata(model), source, "")
    assert "![samples](samples.png)" in text
    assert "colour to grey" in text
    file.write_bytes(b"no image")
    assert hub._preview_png(model, {}, source) is None
    assert "samples.png" not in render_model_card(model, make_metadata(model), source, "", has_preview=False)


@pytest.mark.parametrize(
    ("name", "images", "value", "line"),
    [
        ("x}\nlicense: mit", 32, 1.0, "license: mit | 1 |"),
        ("a|b", 32, 1.0, "| ab | 1 |"),
        ("lost", 32, float("inf"), ""),
        ("another checkpoint", 16, 1.0, ""),
    ],
)
def test_results_are_escaped_and_those_of_the_model_alone(run, tmp_path, name, images, value, line):
    row = {"images": images, "protocol": name, "value": value}
    (tmp_path / "evaluations.jsonl").write_text(json.dumps(row) + "\n")
    job = make_job(run, run)
    text = render_model_card(job.model, job.metadata, tmp_path, "")
    front = yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))
    assert front["license"] == "unknown"
    listed = [one["type"] for index in front.get("model-index", []) for one in index["results"][0]["metrics"]]
    assert listed == ([name] if line else [])
    assert line in text
    assert ("## Results" in text) == bool(line)


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_working_directory_is_not_replaced(run, out, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SparringError) as error:
        EXPORTS["safetensors"](make_job(run, Path(out)))
    assert error.value.got.startswith("--out")


def test_default_name_of_an_export(tmp_path):
    assert (
        default_name("hf:/someone/faces@v1", tmp_path / "snapshots" / "0a1b" / "model.safetensors") == "faces"
    )
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "generator.safetensors").touch()
    assert (
        default_name("x", tmp_path / "photos" / "generator.safetensors")
        == default_name("x", tmp_path / "photos")
        == "photos"
    )
