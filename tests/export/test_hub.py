"""Folders in the hub's layout: written, opened, pushed, pulled; and what strangers may put into theirs."""

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
from tests.helpers.export_networks import facts_of, translation


@pytest.fixture(scope="module")
def run(toy_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "run"
    toy.play(toy.request(toy_data, steps=4, save=2, report=2), folder)
    row = {"images": 32, "protocol": "fd1k-pca-test", "value": 12.5, "better": "lower"}
    (folder / "evaluations.jsonl").write_text(json.dumps(row) + "\n")
    return folder


def job(run, out, license="cc0-1.0"):
    found = sparring.load(run, "cpu").generator
    return ExportJob(model=found.model, metadata=found.metadata, source=run, out=out, license=license)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("hub") / "model"
    EXPORTS["safetensors"](job(run, out))
    return out


def test_the_folder_opens_and_samples_the_same(run, folder):
    assert np.array_equal(sparring.load(folder, "cpu").sample(5), sparring.load(run, "cpu").sample(5))
    assert json.loads((folder / "config.json").read_text())["game"]["type"] == "adversarial"
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors", "config.json", "README.md", "samples.png", "EXPORTED.txt"
    }  # fmt: skip


def test_the_card_tells_licence_data_and_results(run, folder):
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == "cc0-1.0"
    assert front["library_name"] == "sparring"
    assert front["pipeline_tag"] == "unconditional-image-generation"
    assert front["datasets"] == ["toy.npz"]  # the name, and no path of ours
    assert front["model-index"][0]["results"][0]["metrics"] == [{"type": "fd1k-pca-test", "value": 12.5}]
    assert "| fd1k-pca-test | 12.5 |" in text
    assert str(run.parent) not in text


def test_a_card_without_a_licence_says_so_and_odd_names_stay_texts(run):
    given = job(run, run, "")
    text = render_model_card(
        given.model, {**given.metadata, "recipe": "x`\n---\nlicense: mit\n<script>"}, run, ""
    )
    assert yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))["license"] == "unknown"
    assert "No licence was given" in text
    assert "<script>" not in text.split("\n---\n")[1]


class Client:
    """What stands in for the hub."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []

    def create_repo(self, name, **options):
        self.asked.append(("create", name, options))

    def upload_folder(self, **options):
        self.asked.append(("upload", options["repo_id"], sorted(os.listdir(options["folder_path"]))))

    def hf_hub_download(self, name, file, revision=None):
        self.asked.append(("download", name, file, revision))
        return str(self.folder / file)


def test_it_goes_to_the_hub_and_back(run, folder, monkeypatch):
    client = Client(folder)
    assert hub.push(folder, "someone/faces", client) == "hf://someone/faces"
    assert client.asked[0][2]["private"] is True
    monkeypatch.setattr(hub, "_import_hub_client", lambda: client)
    found = sparring.load("hf://someone/faces@v1", "cpu")
    assert client.asked[-1] == ("download", "someone/faces", "model.safetensors", "v1")
    assert np.array_equal(found.sample(3), sparring.load(run, "cpu").sample(3))


def test_what_the_hub_refuses_is_said(folder):
    def refuse(*_, **__):
        raise OSError("401: no token")

    with pytest.raises(SparringError, match="401: no token"):
        hub.push(folder, "someone/faces", SimpleNamespace(create_repo=refuse))
    with pytest.raises(SparringError, match="401: no token"):
        hub.pull("hf://someone/faces", SimpleNamespace(hf_hub_download=refuse))
    with pytest.raises(SparringError, match="user/name"):
        hub.push(folder, "../faces", Client(folder))


def test_a_huge_file_is_refused_before_it_is_read(folder, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    path.write_bytes((folder / "model.safetensors").read_bytes())
    os.truncate(path, 2**36)  # sparse
    monkeypatch.setattr(generator_file.storage, "read", lambda path: pytest.fail("it was read"))
    with pytest.raises(CorruptFileError, match="at the most"):
        generator_file.load(path)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"{}", b"\xff\xfe", b'{"format": 1}', b" " * 9_000_000, b"null"]
)
def test_a_strangers_run_json_is_refused(run, tmp_path, content):
    (tmp_path / RUN_FILE).write_bytes(content)
    (tmp_path / generator_file.GENERATOR_FILE).write_bytes((run / generator_file.GENERATOR_FILE).read_bytes())
    with pytest.raises(CorruptFileError):
        _ = sparring.load(tmp_path, "cpu").experiment
    assert len(sparring.load(tmp_path, "cpu").sample(2)) == 2  # which needs none


def test_a_translators_card_shows_what_its_run_drew(tmp_path):
    kept, source = translation(), tmp_path / "run"
    source.mkdir()
    sheet = np.arange(24, dtype=np.uint8).reshape(4, 6)
    sheet_file = source / "samples.png"
    extra = PngImagePlugin.PngInfo()
    extra.add_text("path", "/home/somebody")
    Image.fromarray(sheet).save(sheet_file, pnginfo=extra)
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(hub._preview_png(kept, {}, source))).convert("L")), sheet
    )
    assert b"somebody" not in hub._preview_png(kept, {}, source)
    text = render_model_card(kept, facts_of(kept), source, "")
    assert "![samples](samples.png)" in text
    assert "images of the training's data" in text
    assert "colour to grey" in text
    sheet_file.write_bytes(b"no image")
    assert hub._preview_png(kept, {}, source) is None
    assert "samples.png" not in render_model_card(kept, facts_of(kept), source, "", has_preview=False)


def test_odd_protocols_stay_texts_in_a_card(run, tmp_path):
    values = {"x}\nlicense: mit": 1.0, "a|b": 1.0, "lost": float("inf")}
    rows = [
        {"images": at, "protocol": name, "value": value} for at, (name, value) in enumerate(values.items())
    ]
    (tmp_path / "evaluations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = job(run, run)
    text = render_model_card(given.model, given.metadata, tmp_path, "")
    front = yaml.safe_load(text.split("\n---\n")[0].removeprefix("---"))
    assert front["license"] == "unknown"
    assert [one["type"] for one in front["model-index"][0]["results"][0]["metrics"]] == [
        "x}\nlicense: mit",
        "a|b",
    ]
    assert "| ab | 1 |" in text


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_no_folder_that_one_stands_in_is_replaced(run, out, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SparringError, match="a new folder"):
        EXPORTS["safetensors"](job(run, Path(out)))


def test_an_export_is_called_as_the_hub_calls_it(tmp_path):
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
