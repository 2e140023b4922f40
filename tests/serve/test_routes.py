"""The routes: images are the same pixels as those of `sparring sample`, and nothing is written or revealed."""

import json
import os
import shutil
import sys
import time
from io import BytesIO

import numpy as np
from PIL import Image

import sparring
from sparring.runs.generator_file import GENERATOR_FILE
from tests.helpers.raw_asgi import Explorer


def pixels(response) -> np.ndarray:
    assert response.status == 200, response.body
    assert response.header("content-type") == "image/png"
    return np.asarray(Image.open(BytesIO(response.body)))


def test_samples_equal_those_of_the_run(explorer, image_run):
    samples = pixels(explorer.get("/api/samples?seed=3&start=0&n=20&truncation=0.7")).reshape(20, 8, 8, 3)
    assert (samples == sparring.load(image_run, "cpu").sample(20, 3, truncation=0.7)).all()
    later = pixels(explorer.get("/api/samples?seed=3&start=12&n=8&truncation=0.7")).reshape(8, 8, 8, 3)
    assert (later == samples[12:]).all()


def test_single_sample_equals_its_tile_up_to_rounding(explorer):
    samples = pixels(explorer.get("/api/samples?seed=3&n=4")).reshape(4, 8, 8, 3).astype(int)
    assert abs(pixels(explorer.get("/api/sample?point=s3.2")).astype(int) - samples[2]).max() <= 1


def test_walk_starts_and_ends_at_its_points(explorer):
    walk = pixels(explorer.get("/api/walk?point=s0.0&end=s0.1&steps=5")).reshape(5, 8, 8, 3).astype(int)
    ends = [pixels(explorer.get(f"/api/sample?point=s0.{index}")).astype(int) for index in (0, 1)]
    assert max(abs(walk[0] - ends[0]).max(), abs(walk[-1] - ends[1]).max()) <= 1
    assert abs(walk[2] - walk[0]).max() > 0


def test_directions_change_the_image_reversibly(explorer):
    plain = pixels(explorer.get("/api/sample?point=s0.0"))
    for kind in ("pca", "sefa", "attributes"):
        directions = explorer.get(f"/api/directions?kind={kind}").json["directions"]
        assert directions
        first = directions[0]["id"]
        assert (pixels(explorer.get(f"/api/sample?point=s0.0&edits={first}:4")) != plain).any()
        assert (pixels(explorer.get(f"/api/sample?point=s0.0&edits={first}:0")) == plain).all()
    assert explorer.get("/api/sample?point=s0.0&edits=none-0:1").status == 409


def test_cached_image_is_not_sent_again(explorer):
    digest = explorer.get("/api/run").json["digest"]
    path = f"/api/sample?point=s0.0&digest={digest}"
    first = explorer.get(path)
    assert "max-age" in first.header("cache-control")
    assert explorer.get(path, headers={"if-none-match": first.header("etag")}).status == 304
    assert (
        explorer.get("/api/sample?point=s0.1", headers={"if-none-match": first.header("etag")}).status == 200
    )
    assert "max-age" not in explorer.get("/api/sample?point=s0.0&digest=other").header("cache-control")


def test_newer_generator_is_loaded_and_corrupt_one_is_not(image_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(image_run, run, symlinks=True)
    explorer = Explorer(run)
    before, first = explorer.get("/api/run").json["digest"], pixels(explorer.get("/api/sample?point=s0.0"))
    content = bytearray((run / GENERATOR_FILE).read_bytes())
    (run / GENERATOR_FILE).write_bytes(content[:-40])
    assert explorer.get("/api/run").json["digest"] == before
    content[-40:] = bytes(40)
    (run / GENERATOR_FILE).write_bytes(content)
    os.utime(run / GENERATOR_FILE, (time.time() + 5, time.time() + 5))
    assert explorer.get("/api/run").json["digest"] != before
    assert pixels(explorer.get("/api/sample?point=s0.0")).shape == first.shape
    explorer.close()


def test_inversion_of_an_upload(explorer):
    buffer = BytesIO()
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(buffer, "JPEG")
    result = explorer.post("/api/invert", buffer.getvalue()).json
    assert result["psnr"] > 5
    assert pixels(explorer.get(f"/api/sample?point=u{result['upload']}")).shape == (8, 8, 3)
    assert explorer.get("/api/sample?point=u77").status == 410
    assert explorer.post("/api/translate", buffer.getvalue()).status == 409


def test_nearest_training_images(explorer):
    response = explorer.get("/api/nearest?point=s0.0&n=3").json
    distances = [row["distance"] for row in response["nearest"]]
    assert (response["num_training"], len(distances)) == (24, 3)
    assert distances == sorted(distances)
    assert pixels(explorer.get(f"/api/training-image?index={response['nearest'][0]['index']}")).shape == (
        8,
        8,
        3,
    )
    assert explorer.get("/api/training-image?index=24").status == 404


def test_missing_training_data_is_an_error(image_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(image_run, run, symlinks=True)
    document = json.loads((run / "run.json").read_text())
    document["experiment"]["data"]["source"] = str(tmp_path / "gone")
    (run / "run.json").write_text(json.dumps(document))
    explorer = Explorer(run)
    response = explorer.get("/api/nearest?point=s0.0")
    assert (response.status, "gone" in response.json["error"]) == (409, True)
    explorer.close()


def test_run_on_points(points_explorer):
    assert points_explorer.get("/api/run").json["kind"] == "points"
    assert np.shape(points_explorer.get("/api/points?n=50").json["points"]) == (50, 2)
    assert np.shape(points_explorer.get("/api/training-points?n=50").json["points"]) == (50, 2)
    assert points_explorer.get("/api/samples").status == 409


def test_progress(explorer):
    progress = explorer.get("/api/progress").json
    assert (progress["images"], progress["total_images"], progress["finished"]) == (64, 64, True)
    assert progress["previews"]
    assert progress["doctor"]["summary"]
    assert progress["charts"][0]["curves"][0]["points"]


def test_full_queue_sends_retry_after(explorer):
    responses = explorer.concurrent([f"/api/samples?seed={seed}&n=32" for seed in range(60)])
    codes = [response.status for response in responses]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= explorer.context.compute_worker.capacity
    assert all(response.header("retry-after") for response in responses if response.status == 503)
    assert explorer.get("/api/samples").status == 200
    assert explorer.context.compute_worker.in_flight == 0


def test_internal_error_is_not_sent_to_the_client(explorer, monkeypatch, capsys):
    monkeypatch.setattr(explorer.context.model, "current", lambda: 1 / 0)
    response = explorer.get("/api/samples")
    assert response.status == 500
    assert b"ZeroDivision" not in response.body
    assert "ZeroDivision" in capsys.readouterr().err


PATHS = [
    "run",
    "samples",
    "sample?point=s0.0",
    "walk?point=s0.0&end=s0.1",
    "directions",
    "nearest?point=s0.0",
    "training-image?index=0",
    "progress",
    "preview?images=64",
]
events: list[tuple[str, str]] = []
recording = False


def record_event(event: str, arguments: tuple) -> None:
    if not recording:
        return
    if event == "open" and isinstance(arguments[0], str) and (set(str(arguments[1])) & set("wax+")):
        events.append((event, arguments[0]))
    elif event in (
        "os.rename",
        "os.remove",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "subprocess.Popen",
        "socket.connect",
        "shutil.rmtree",
    ):
        events.append((event, str(arguments[0])))


def test_no_writes_connections_or_processes(explorer, image_run):
    """An audit hook sees no write, no connection and no process while all routes are requested."""
    global recording
    explorer.get("/api/training-image?index=0")  # opens the data, whose cache is outside the run
    sys.addaudithook(record_event)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in image_run.rglob("*"))
    recording = True
    try:
        assert [explorer.get(f"/api/{path}").status for path in PATHS] == [200] * len(PATHS)
        assert explorer.get("/").status == explorer.get("/page/main.js").status == 200
        assert events == []
        (image_run.parent / "twin").write_text("x")
        assert events != []  # the hook detects a write
    finally:
        recording = False
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in image_run.rglob("*")) == before


def test_exported_folder_can_be_explored(image_run, tmp_path):
    (tmp_path / "model.safetensors").write_bytes((image_run / "generator.safetensors").read_bytes())
    explorer = Explorer(tmp_path)
    try:
        run = explorer.get("/api/run").json
        assert (run["kind"], run["has_record"]) == ("images", False)
        assert explorer.get("/api/sample?point=s0.0").status == 200
        assert explorer.get("/api/progress").status == 409
    finally:
        explorer.close()


def test_malformed_record_gives_valid_json(image_run, tmp_path):
    for name in ("run.json", "generator.safetensors"):
        (tmp_path / name).write_bytes((image_run / name).read_bytes())
    rows = [
        '{"images": 16, "loss": NaN}',
        '{"images": 32, "loss": 1e999}',
        '{"images": 48, "loss": 1.0}',
        "[" * 9_000,
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*rows, '{"images": 64, "loss": -Infinity}']))
    explorer = Explorer(tmp_path)
    try:
        response = explorer.get("/api/progress")
        assert response.status == 200
        assert not {"NaN", "Infinity"} & set(response.body.decode().replace(",", " ").split())
        assert response.json["latest"]["images"] == 64
    finally:
        explorer.close()


def test_errors_do_not_reveal_paths(image_run, tmp_path):
    (tmp_path / "generator.safetensors").write_bytes(b"x" * 100)
    document = json.loads((image_run / "run.json").read_text())
    document["experiment"]["data"]["source"] = str(tmp_path / "gone" / "photos")
    (tmp_path / "run.json").write_text(json.dumps(document))
    explorer = Explorer(tmp_path)
    try:
        for path in ("/api/run", "/api/training-image?index=0", "/api/sample?point=s0.0"):
            response = explorer.get(path)
            assert response.status in (400, 409)
            assert str(tmp_path.parent) not in response.body.decode()
    finally:
        explorer.close()
