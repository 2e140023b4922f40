"""The exported page in headless Chromium: it draws the samples that PyTorch computes, and loads nothing from other hosts."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.core.errors import SparringError
from sparring.export import web
from sparring.export import web_runtime as runtime
from sparring.inference import sampling
from tests.helpers.browser import console_messages, open_chromium, pixels, psnr, serve_folder, wait_for
from tests.helpers.export_networks import build_model, make_metadata

pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")


@pytest.fixture(scope="module")
def web_runtime():
    try:
        runtime.runtime_files()
    except SparringError as error:
        pytest.skip(f"no onnxruntime-web: {error.got}")


@pytest.fixture(scope="module")
def chromium(web_runtime):
    with open_chromium() as browser:
        yield browser


def serve_page(model, folder):
    web.write_web_page(model, make_metadata(model), folder)
    return serve_folder(folder)


def open_page(chromium, address):
    chromium.get(address)
    wait_for(chromium, "document.body.dataset.state === 'ready'")


def test_page_shows_the_samples_of_pytorch(chromium, tmp_path):
    model = build_model("acgan")
    with serve_page(model, tmp_path / "page") as (address, requests):
        open_page(chromium, address)
        expected = sampling.sample_array(model, make_metadata(model), 8)
        labels = model.draw_labels(0, range(8)).tolist()
        for number in (0, 3, 7):
            chromium.execute_script(
                "const a = document.querySelector('#a'); a.value = arguments[0]; a.dispatchEvent(new Event('change'))",
                number,
            )
            wait_for(chromium, f"document.body.dataset.shown === '{number}/1/0/{labels[number]}'")
            canvas_pixels = pixels(chromium, "#image")
            assert psnr(canvas_pixels[:, :, :1], expected[number]) >= 45
        chromium.execute_script(
            "const c = document.querySelector('#class'); c.value = '2'; c.dispatchEvent(new Event('change'))"
        )
        wait_for(chromium, "document.body.dataset.shown === '7/1/0/2'")
        relabelled = sampling.sample_array(model, make_metadata(model), 8, labels=torch.full((8,), 2))[7]
        assert psnr(pixels(chromium, "#image")[:, :, :1], relabelled) >= 45
        assert (
            psnr(relabelled, expected[(7, 3)[labels[7] == 2]]) < 45
        )  # so the threshold distinguishes images
    assert console_messages(chromium, "SEVERE") == []
    assert {"/model.json", "/generator.onnx", "/latents.bin"} <= set(requests)
    assert all(path.startswith("/") for path in requests)


def test_image_is_translated(chromium, tmp_path):
    model = build_model("cyclegan")
    with serve_page(model, tmp_path / "page") as (address, _):
        open_page(chromium, address)
        draws = np.random.default_rng(0)
        image = draws.integers(0, 256, (20, 28, 3), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / "input.png")
        chromium.execute_script(
            "const s = document.querySelector('#side'); s.options[0].value = '28'; s.value = '28'"
        )
        chromium.find_element("id", "file").send_keys(str(tmp_path / "input.png"))
        wait_for(chromium, "document.body.dataset.shown === 'a-to-b/input/28x20'")
        x = torch.tensor(image).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            translated = ((model.translate(x) + 1) * 127.5).round().clamp(0, 255)[0].permute(1, 2, 0).numpy()
        assert psnr(pixels(chromium, "#before")[:, :, :3], image) >= 60
        assert psnr(pixels(chromium, "#after")[:, :, : translated.shape[2]], translated) >= 45
    assert console_messages(chromium, "SEVERE") == []


def test_points_are_drawn(chromium, tmp_path):
    model = build_model("points")
    with serve_page(model, tmp_path / "page") as (address, _):
        open_page(chromium, address)
        wait_for(chromium, "document.body.dataset.shown === 'points/3000/1'")
        assert (pixels(chromium, "#points")[:, :, 3] > 0).mean() > 0.001
    assert console_messages(chromium, "SEVERE") == []


def test_page_refers_to_no_other_host():
    for name in ("index.html", "page.css", "page.js"):
        text = (web.PAGE_FOLDER / name).read_text()
        assert "://" not in text.replace("http://localhost:8000", ""), name
    assert "script-src 'self' 'wasm-unsafe-eval';" in (web.PAGE_FOLDER / "index.html").read_text()


def test_other_folders_are_not_replaced(tmp_path, web_runtime):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "index.html").write_text("mine")
    model = build_model("dcgan")
    with pytest.raises(SparringError, match="photos"):
        web.write_web_page(model, make_metadata(model), tmp_path / "photos")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["index.html"]


def test_runtime_folder_must_be_complete(tmp_path):
    with pytest.raises(SparringError, match="--runtime"):
        runtime.runtime_files(tmp_path)
    (tmp_path / "dist").mkdir()
    for name in runtime.SHA256:
        (tmp_path / "dist" / name).write_bytes(b"x")
    (tmp_path / "package.json").write_text(json.dumps({"version": "9.9"}))
    files, source = runtime.runtime_files(tmp_path)
    assert set(files) == set(runtime.SHA256)
    assert "9.9" in source
