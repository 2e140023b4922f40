"""What the explorer shows is what the run has: the same pixels as `sparring sample`."""

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


def pixels(answer) -> np.ndarray:
    assert answer.status == 200, answer.body
    assert answer.header("content-type") == "image/png"
    return np.asarray(Image.open(BytesIO(answer.body)))


def test_the_wall_is_what_the_run_samples(explorer, picture_run):
    wall = pixels(explorer.get("/api/wall?seed=3&start=0&n=20&truncation=0.7")).reshape(20, 8, 8, 3)
    assert (wall == sparring.load(picture_run, "cpu").sample(20, 3, truncation=0.7)).all()
    later = pixels(explorer.get("/api/wall?seed=3&start=12&n=8&truncation=0.7")).reshape(8, 8, 8, 3)
    assert (later == wall[12:]).all()


def test_one_picture_is_the_tile_of_the_wall_but_for_rounding(explorer):
    wall = pixels(explorer.get("/api/wall?seed=3&n=4")).reshape(4, 8, 8, 3).astype(int)
    assert abs(pixels(explorer.get("/api/picture?at=s3.2")).astype(int) - wall[2]).max() <= 1


def test_walks_begin_and_end_where_they_should(explorer):
    walk = pixels(explorer.get("/api/walk?at=s0.0&to=s0.1&steps=5")).reshape(5, 8, 8, 3).astype(int)
    ends = [pixels(explorer.get(f"/api/picture?at=s0.{at}")).astype(int) for at in (0, 1)]
    assert max(abs(walk[0] - ends[0]).max(), abs(walk[-1] - ends[1]).max()) <= 1
    assert abs(walk[2] - walk[0]).max() > 0


def test_sliders_change_the_picture_and_come_back(explorer):
    plain = pixels(explorer.get("/api/picture?at=s0.0"))
    for kind in ("pca", "sefa", "looks"):
        told = explorer.get(f"/api/directions?kind={kind}").json["directions"]
        assert told
        first = told[0]["id"]
        assert (pixels(explorer.get(f"/api/picture?at=s0.0&edit={first}:4")) != plain).any()
        assert (pixels(explorer.get(f"/api/picture?at=s0.0&edit={first}:0")) == plain).all()
    assert explorer.get("/api/picture?at=s0.0&edit=none-0:1").status == 409


def test_a_browser_that_has_a_picture_is_told_so(explorer):
    digest = explorer.get("/api/about").json["digest"]
    path = f"/api/picture?at=s0.0&v={digest}"
    first = explorer.get(path)
    assert "max-age" in first.header("cache-control")
    assert explorer.get(path, headers={"if-none-match": first.header("etag")}).status == 304
    assert explorer.get("/api/picture?at=s0.1", headers={"if-none-match": first.header("etag")}).status == 200
    assert "max-age" not in explorer.get("/api/picture?at=s0.0&v=other").header("cache-control")


def test_a_newer_generator_is_shown_and_a_damaged_one_is_not(picture_run, serve_room, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(picture_run, run, symlinks=True)
    explorer = Explorer(run)
    before, first = explorer.get("/api/about").json["digest"], pixels(explorer.get("/api/picture?at=s0.0"))
    content = bytearray((run / GENERATOR_FILE).read_bytes())
    (run / GENERATOR_FILE).write_bytes(content[:-40])
    assert explorer.get("/api/about").json["digest"] == before
    content[-40:] = bytes(40)
    (run / GENERATOR_FILE).write_bytes(content)
    os.utime(run / GENERATOR_FILE, (time.time() + 5, time.time() + 5))
    assert explorer.get("/api/about").json["digest"] != before
    assert pixels(explorer.get("/api/picture?at=s0.0")).shape == first.shape
    explorer.close()


def test_a_picture_of_ones_own_is_found_and_can_be_edited(explorer):
    buffer = BytesIO()
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(buffer, "JPEG")
    told = explorer.post("/api/invert", buffer.getvalue()).json
    assert told["psnr"] > 5
    assert pixels(explorer.get(f"/api/picture?at=u{told['upload']}")).shape == (8, 8, 3)
    assert explorer.get("/api/picture?at=u77").status == 410
    assert explorer.post("/api/translate", buffer.getvalue()).status == 409


def test_the_closest_training_pictures(explorer):
    told = explorer.get("/api/closest?at=s0.0&k=3").json
    distances = [row["distance"] for row in told["closest"]]
    assert told["of"] == 24
    assert distances == sorted(distances)
    assert pixels(explorer.get(f"/api/real?number={told['closest'][0]['number']}")).shape == (8, 8, 3)
    assert explorer.get("/api/real?number=24").status == 404


def test_data_that_is_gone_is_said_to_be(picture_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(picture_run, run, symlinks=True)
    document = json.loads((run / "run.json").read_text())
    document["experiment"]["data"]["source"] = str(tmp_path / "gone")
    (run / "run.json").write_text(json.dumps(document))
    explorer = Explorer(run)
    answer = explorer.get("/api/closest?at=s0.0")
    assert (answer.status, "does not exist" in answer.json["error"]) == (409, True)
    explorer.close()


def test_points(points_explorer):
    assert points_explorer.get("/api/about").json["kind"] == "points"
    assert np.shape(points_explorer.get("/api/points?n=50").json["points"]) == (50, 2)
    assert np.shape(points_explorer.get("/api/real-points?n=50").json["points"]) == (50, 2)
    assert points_explorer.get("/api/wall").status == 409


def test_progress_tells_the_record_and_the_doctor(explorer):
    told = explorer.get("/api/progress").json
    assert (told["images"], told["finished"]) == (64, True)
    assert told["doctor"]["words"]
    assert told["charts"][0]["curves"][0]["points"]


def test_a_full_queue_says_when_to_come_again(explorer):
    answers = explorer.together([f"/api/wall?seed={seed}&n=32" for seed in range(60)])
    codes = [answer.status for answer in answers]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= explorer.context.compute_worker.capacity
    assert all(answer.header("retry-after") for answer in answers if answer.status == 503)
    assert explorer.get("/api/wall").status == 200
    assert explorer.context.compute_worker.in_flight == 0


def test_a_fault_of_ours_is_not_told_to_the_client(explorer, monkeypatch, capsys):
    monkeypatch.setattr(explorer.context.model, "current", lambda: 1 / 0)
    answer = explorer.get("/api/wall")
    assert answer.status == 500
    assert b"ZeroDivision" not in answer.body
    assert "ZeroDivision" in capsys.readouterr().err


ROUND = [
    "about",
    "wall",
    "picture?at=s0.0",
    "walk?at=s0.0&to=s0.1",
    "directions",
    "closest?at=s0.0",
    "real?number=0",
    "progress",
    "sheet?images=64",
]
seen: list[tuple[str, str]] = []
watching = False


def watch(event: str, arguments: tuple) -> None:
    if not watching:
        return
    if event == "open" and isinstance(arguments[0], str) and (set(str(arguments[1])) & set("wax+")):
        seen.append((event, arguments[0]))
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
        seen.append((event, str(arguments[0])))


def test_nothing_is_written_connected_or_started(explorer, picture_run):
    """By an audit hook over a round of all routes: no write, no connection, no process."""
    global watching
    explorer.get("/api/real?number=0")  # opens the data: its cache is its own, outside of the run
    sys.addaudithook(watch)
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in picture_run.rglob("*"))
    watching = True
    try:
        assert [explorer.get(f"/api/{path}").status for path in ROUND] == [200] * len(ROUND)
        assert explorer.get("/").status == explorer.get("/page/main.js").status == 200
        assert seen == []
        (picture_run.parent / "twin").write_text("x")
        assert seen != []  # the hook sees a write
    finally:
        watching = False
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in picture_run.rglob("*")) == before


def test_an_exported_folder_is_shown_too(picture_run, tmp_path):
    (tmp_path / "model.safetensors").write_bytes((picture_run / "generator.safetensors").read_bytes())
    explorer = Explorer(tmp_path)
    try:
        told = explorer.get("/api/about").json
        assert (told["kind"], told["live"]) == ("pictures", False)
        assert explorer.get("/api/picture?at=s0.0").status == 200
        assert explorer.get("/api/progress").status == 409
    finally:
        explorer.close()


def test_a_strangers_record_is_no_fault_of_ours(picture_run, tmp_path):
    for name in ("run.json", "generator.safetensors"):
        (tmp_path / name).write_bytes((picture_run / name).read_bytes())
    rows = [
        '{"images": 16, "loss": NaN}',
        '{"images": 32, "loss": 1e999}',
        '{"images": 48, "loss": 1.0}',
        "[" * 9_000,
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*rows, '{"images": 64, "loss": -Infinity}']))
    explorer = Explorer(tmp_path)
    try:
        answer = explorer.get("/api/progress")
        assert answer.status == 200
        assert not {"NaN", "Infinity"} & set(answer.body.decode().replace(",", " ").split())
        assert answer.json["latest"]["images"] == 64
    finally:
        explorer.close()


def test_errors_do_not_tell_where_things_lie(picture_run, tmp_path):
    (tmp_path / "generator.safetensors").write_bytes(b"x" * 100)
    document = json.loads((picture_run / "run.json").read_text())
    document["experiment"]["data"]["source"] = str(tmp_path / "gone" / "photos")
    (tmp_path / "run.json").write_text(json.dumps(document))
    explorer = Explorer(tmp_path)
    try:
        for path in ("/api/about", "/api/real?number=0", "/api/picture?at=s0.0"):
            answer = explorer.get(path)
            assert answer.status in (400, 409)
            assert str(tmp_path.parent) not in answer.body.decode()
    finally:
        explorer.close()
