"""The exported page, in a real browser: it shows the images that PyTorch makes, and asks nobody but its own host."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.core.errors import SparringError
from sparring.export import web
from sparring.export import web_runtime as runtime
from sparring.inference import sampling
from tests.helpers.browser import chromium, pixels, psnr, served, wait
from tests.helpers.export_networks import facts_of, kept_of

pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")


@pytest.fixture(scope="module")
def library():
    try:
        runtime.runtime_files()
    except SparringError as error:
        pytest.skip(f"no onnxruntime-web: {error.got}")


@pytest.fixture(scope="module")
def window(library):
    with chromium() as opened:
        yield opened


def page_of(kept, folder):
    web.write_web_page(kept, facts_of(kept), folder)
    return served(folder)


def open_page(window, address):
    window.get(address)
    wait(window, "document.body.dataset.state === 'ready'")


def complaints(window):
    return [entry["message"] for entry in window.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_page_shows_what_pytorch_makes(window, tmp_path):
    kept = kept_of("acgan")
    with page_of(kept, tmp_path / "page") as (address, asked):
        open_page(window, address)
        expected = sampling.sample_array(kept, facts_of(kept), 8)
        labels = kept.draw_labels(0, range(8)).tolist()
        for number in (0, 3, 7):
            window.execute_script(
                "const a = document.querySelector('#a'); a.value = arguments[0]; a.dispatchEvent(new Event('change'))",
                number,
            )
            wait(window, f"document.body.dataset.shown === '{number}/1/0/{labels[number]}'")
            shown = pixels(window, "#picture")
            assert psnr(shown[:, :, :1], expected[number]) >= 45
        window.execute_script(
            "const c = document.querySelector('#class'); c.value = '2'; c.dispatchEvent(new Event('change'))"
        )
        wait(window, "document.body.dataset.shown === '7/1/0/2'")
        told = sampling.sample_array(kept, facts_of(kept), 8, labels=torch.full((8,), 2))[7]
        assert psnr(pixels(window, "#picture")[:, :, :1], told) >= 45
        assert psnr(told, expected[(7, 3)[labels[7] == 2]]) < 45  # the measure tells images apart
    assert complaints(window) == []
    assert {"/model.json", "/generator.onnx", "/latents.bin"} <= set(asked)
    assert all(path.startswith("/") for path in asked)


def test_a_dropped_picture_is_translated(window, tmp_path):
    kept = kept_of("cyclegan")
    with page_of(kept, tmp_path / "page") as (address, _):
        open_page(window, address)
        draws = np.random.default_rng(0)
        given = draws.integers(0, 256, (20, 28, 3), dtype=np.uint8)
        Image.fromarray(given).save(tmp_path / "given.png")
        window.execute_script(
            "const s = document.querySelector('#side'); s.options[0].value = '28'; s.value = '28'"
        )
        window.find_element("id", "file").send_keys(str(tmp_path / "given.png"))
        wait(window, "document.body.dataset.shown === 'a-to-b/given/28x20'")
        x = torch.tensor(given).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            made = ((kept.translate(x) + 1) * 127.5).round().clamp(0, 255)[0].permute(1, 2, 0).numpy()
        assert psnr(pixels(window, "#before")[:, :, :3], given) >= 60
        assert psnr(pixels(window, "#after")[:, :, : made.shape[2]], made) >= 45
    assert complaints(window) == []


def test_points_are_drawn(window, tmp_path):
    kept = kept_of("points")
    with page_of(kept, tmp_path / "page") as (address, _):
        open_page(window, address)
        wait(window, "document.body.dataset.shown === 'points/3000/1'")
        assert (pixels(window, "#points")[:, :, 3] > 0).mean() > 0.001
    assert complaints(window) == []


def test_nothing_comes_from_elsewhere():
    for name in ("index.html", "page.css", "page.js"):
        text = (web.PAGE_FOLDER / name).read_text()
        assert "://" not in text.replace("http://localhost:8000", ""), name
    assert "script-src 'self' 'wasm-unsafe-eval';" in (web.PAGE_FOLDER / "index.html").read_text()


def test_a_folder_of_someone_elses_stays_as_it_is(tmp_path, library):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "index.html").write_text("mine")
    kept = kept_of("dcgan")
    with pytest.raises(SparringError, match="is no export"):
        web.write_web_page(kept, facts_of(kept), tmp_path / "photos")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["index.html"]


def test_the_runtime_can_be_given_and_must_be_whole(tmp_path):
    with pytest.raises(SparringError, match="--runtime"):
        runtime.runtime_files(tmp_path)
    (tmp_path / "dist").mkdir()
    for name in runtime.SHA256:
        (tmp_path / "dist" / name).write_bytes(b"x")
    (tmp_path / "package.json").write_text(json.dumps({"version": "9.9"}))
    files, source = runtime.runtime_files(tmp_path)
    assert set(files) == set(runtime.SHA256)
    assert "9.9" in source
