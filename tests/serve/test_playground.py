"""The playground: which requests are refused, what a frame contains, that rendering does not change the training, and
that it works for every objective and penalty of the tables.
"""

import base64
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.core.errors import SparringError
from sparring.core.runtime import DeviceOptions
from sparring.data import DataConfig, open_data
from sparring.parts.objectives import OBJECTIVES, Hinge
from sparring.parts.penalties import PENALTIES, R1
from sparring.serve.playground.config import (
    PRESETS,
    RECIPE_SETTINGS,
    PlaygroundConfig,
    build_recipe_config,
    list_objectives,
    list_penalties,
    make_title,
)
from sparring.serve.playground.game import Playground, build_frame, find_covered_modes, write_caption
from sparring.serve.playground.view import (
    FIELD_SIDE,
    GRID_LINES,
    NUM_ARROWS,
    NUM_FAKE_POINTS,
    ViewBox,
)
from tests.helpers.raw_asgi import Explorer

SMALL = "width=4&batch_size=8&latent=2"


@pytest.fixture(scope="module")
def ring():
    return open_data(DataConfig(source="ring"))


@pytest.fixture
def ring_explorer(tmp_path, monkeypatch):
    """An explorer of a built-in set of points, without a run."""
    monkeypatch.chdir(tmp_path)
    opened = Explorer(Path("ring"))
    yield opened
    opened.close()


def begin(config: PlaygroundConfig, dataset) -> tuple[Playground, dict]:
    playground = Playground(DeviceOptions(device="cpu", threads=1).start())
    return playground, playground.begin(replace(config, width=4, batch_size=8), dataset)


def hash_state(playground: Playground) -> str:
    tensors = playground.game.train_state.tensors().values()
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


@pytest.mark.parametrize(
    "query",
    [
        "recipe=vae",
        "recipe=",
        "dataset=/etc/passwd",
        "dataset=animals",
        "objective=__import__",
        "penalty=lasso",
        "generator_lr=nan",
        "generator_lr=inf",
        "generator_lr=1e-3",
        "generator_lr=0",
        "generator_lr=0.2",
        "discriminator_lr=-0.1",
        "penalty_weight=101",
        "penalty_weight=-1",
        "critic_steps=0",
        "critic_steps=11",
        "latent=17",
        "latent=0",
        "width=129",
        "width=100000000000000000000",
        "batch_size=513",
        "seed=2147483648",
        "seed=-1",
        "fourier_features=2",
        "fourier_features=1.0",
        "seed=1&seed=2",
        "lr=0.1",
        "dataset=run",
    ],
)
def test_invalid_settings_are_refused(ring_explorer, query):
    assert ring_explorer.post(f"/api/playground/begin?{query}").status in (400, 409)
    assert ring_explorer.context.playground.game is None


def test_only_own_page_can_begin(ring_explorer):
    assert ring_explorer.get("/api/playground/begin").status == 405
    path = "/api/playground/begin"
    assert ring_explorer.request("POST", path, headers={"content-length": "0"}).status == 403
    foreign = {"content-length": "0", "origin": "http://evil.example"}
    assert ring_explorer.request("POST", path, headers=foreign).status == 403
    assert ring_explorer.post(path, b"settings").status == 400
    assert ring_explorer.context.playground.game is None


def test_playground_without_run(ring_explorer):
    run = ring_explorer.get("/api/run").json
    assert (run["kind"], run["playground"], run["has_record"]) == ("playground", True, False)
    options = ring_explorer.get("/api/playground").json
    assert options["datasets"][0] == "ring"
    first = ring_explorer.post(f"/api/playground/begin?recipe=gan&{SMALL}").json
    assert (first["step"], first["config"]["recipe"], len(first["mode_centres"])) == (0, "gan", 8)
    second = ring_explorer.post(f"/api/playground/step?game={first['game']}&n=3").json
    steps = second["steps_taken"]
    assert 1 <= steps <= 3  # fewer on a slow machine: the time of a request is bounded
    assert (second["step"], second["images"]) == (steps, 8 * steps)
    assert "view_box" not in second  # constants are sent once
    other = ring_explorer.post(f"/api/playground/begin?recipe=gan&{SMALL}").json
    assert ring_explorer.post(f"/api/playground/step?game={first['game']}").status == 409
    assert ring_explorer.post(f"/api/playground/step?game={other['game']}").json["step"] == 1
    assert ring_explorer.post(f"/api/playground/step?game={other['game']}&n=201").status == 400
    assert ring_explorer.post(f"/api/playground/step?game={other['game']}&n=nan").status == 400


@pytest.mark.parametrize("recipe", list(RECIPE_SETTINGS))
def test_frame_is_complete(recipe, ring):
    playground, first = begin(build_recipe_config(recipe), ring)
    second = playground.step(2, 60)
    for frame in (first, second):
        assert len(base64.b64decode(frame["field"])) == FIELD_SIDE * FIELD_SIDE
        for name, shape in (
            ("fake", (NUM_FAKE_POINTS, 2)),
            ("latent_grid", (GRID_LINES**2, 2)),
            ("arrows", (NUM_ARROWS, 2)),
        ):
            assert np.shape(frame[name]) == shape
            assert np.isfinite(frame[name]).all()
    assert second["fake"] != first["fake"]
    assert {name.split("/")[0] for name in second["losses"]} >= {"generator", "discriminator"}
    assert np.isfinite(list(second["losses"].values())).all()


CHOICES = [
    *({"objective": row["name"]} for row in list_objectives()),
    *({"penalty": row["name"], "penalty_weight": row["penalty_weight"]} for row in list_penalties()),
    {"latent": 1},
    {"latent": 5},
    {"fourier_features": 1},
]


@pytest.mark.parametrize("changes", CHOICES, ids=str)
def test_every_choice_trains(changes, ring):
    playground, _ = begin(replace(PlaygroundConfig(), **changes), ring)
    assert playground.step(1)["diverged_at"] is None


@dataclass(frozen=True, kw_only=True)
class SoftMargin(Hinge):
    """A toy objective."""


@dataclass(frozen=True, kw_only=True)
class ToyPenalty(R1):
    """A toy penalty."""


def test_new_objective_and_penalty_need_only_their_rows(ring_explorer, ring, monkeypatch):
    monkeypatch.setitem(OBJECTIVES, "soft_margin", SoftMargin)
    monkeypatch.setitem(PENALTIES, "toy_penalty", ToyPenalty)
    options = ring_explorer.get("/api/playground").json
    assert {"name": "soft_margin", "title": "Soft margin"} in options["objectives"]
    row = next(row for row in options["penalties"] if row["name"] == "toy_penalty")
    assert row["title"] == "Toy penalty"
    query = f"objective=soft_margin&penalty=toy_penalty&penalty_weight={row['penalty_weight']}&{SMALL}"
    first = ring_explorer.post(f"/api/playground/begin?{query}").json
    assert len(base64.b64decode(first["field"])) == FIELD_SIDE * FIELD_SIDE
    second = ring_explorer.post(f"/api/playground/step?game={first['game']}").json
    assert (second["step"], second["diverged_at"]) == (1, None)
    penalties = ring_explorer.context.playground.game.train_state.game.config.penalties
    assert penalties == (ToyPenalty(gamma=row["penalty_weight"]),)


def test_every_choice_has_a_title():
    rows = [*list_objectives(), *list_penalties()]
    assert all(row["title"] for row in rows)
    assert {row["name"] for row in list_penalties()} >= {*PENALTIES, "weight_clip", "none", "r1_r2"}
    assert make_title(Hinge) == "Hinge"


def test_weight_clip_clips_the_discriminator(ring):
    playground, _ = begin(replace(build_recipe_config("wgan"), penalty_weight=0.05), ring)
    playground.step(1)
    discriminator = playground.game.train_state.game.discriminator
    assert max(float(p.detach().abs().max()) for p in discriminator.parameters()) < 0.0501


def test_rendering_does_not_change_the_training(ring):
    """The same weights, whether six steps are one request with one frame or six requests with twelve frames."""
    config = build_recipe_config(
        "sngan"
    )  # spectral normalisation has buffers that a forward pass in training mode changes
    one, _ = begin(config, ring)
    assert one.step(6, 60)["step"] == 6
    other, _ = begin(config, ring)
    for step in range(6):
        assert other.step(1)["step"] == step + 1
        build_frame(other.game, [], 0)
    assert hash_state(one) == hash_state(other)
    different, _ = begin(replace(config, seed=1), ring)
    different.step(6, 60)
    assert hash_state(different) != hash_state(one)


def test_time_of_a_request_is_bounded(ring):
    playground, _ = begin(PlaygroundConfig(), ring)
    assert playground.step(200, 0.0)["steps_taken"] == 1


def test_divergence_is_reported(ring):
    playground, _ = begin(PlaygroundConfig(), ring)
    playground.step(2, 60)
    before = playground.step(1)["fake"]
    with torch.no_grad():
        next(playground.game.train_state.game.generation.parameters()).fill_(float("nan"))
    for _ in range(2):
        frame = playground.step(5, 60)
        assert (frame["diverged_at"], frame["steps_taken"], frame["fake"] == before) == (3, 0, True)
        assert "Diverged" in frame["caption"]


def test_run_is_only_read(point_run):
    def list_files() -> dict[str, tuple[int, str]]:
        return {
            str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(point_run.rglob("*"))
            if path.is_file()
        }

    before = list_files()
    explorer = Explorer(point_run)
    assert explorer.get("/api/run").json["playground"] is True
    assert explorer.get("/api/playground").json["datasets"][0] == "ring"
    game = explorer.post(f"/api/playground/begin?{SMALL}").json["game"]
    assert explorer.post(f"/api/playground/step?game={game}&n=5").json["step"] >= 1
    explorer.close()
    assert list_files() == before


def test_points_of_a_run(tmp_path):
    """The user's points have no known modes; points in space and too few points are refused."""
    np.save(tmp_path / "two.npy", np.random.default_rng(0).normal(3, 5, (64, 2)).astype(np.float32))
    np.save(tmp_path / "three.npy", np.zeros((64, 3), np.float32) + np.arange(64)[:, None])
    np.save(tmp_path / "few.npy", np.eye(2, dtype=np.float32))
    playground, first = begin(
        replace(PlaygroundConfig(), dataset="run"), open_data(DataConfig(source=str(tmp_path / "two.npy")))
    )
    assert ("num_covered" in first, first["mode_centres"], len(first["real"])) == (False, [], 64)
    assert playground.step(1)["coverage"] > 0
    for name in ("three", "few"):
        dataset = open_data(DataConfig(source=str(tmp_path / f"{name}.npy")))
        with pytest.raises(SparringError) as error:
            playground.begin(PlaygroundConfig(), dataset)
        assert str(len(dataset)) in error.value.got


def test_covered_modes():
    centres = np.array([[0.0, 0.0], [4.0, 0.0]])
    fake = np.concatenate([np.zeros((99, 2)), [[4.0, 0.99]]])
    assert find_covered_modes(fake, centres).tolist() == [True, True]
    fake[-1, 1] = 1.01  # further than a quarter of the distance between the modes
    assert find_covered_modes(fake, centres).tolist() == [True, False]


def test_points_outside_the_view_are_counted():
    view = ViewBox.from_samples(np.array([[0.0, 0.0], [2.0, 1.0]] * 50))
    assert view.count_outside(np.array([[1.0, 0.5], [9.0, 0.0]])) == 1


def test_first_row_of_the_field_is_the_top(ring):
    view = ViewBox.from_samples(np.asarray(ring.samples))
    centres = view.cell_centres(FIELD_SIDE).reshape(FIELD_SIDE, FIELD_SIDE, 2)
    assert centres[0, 0, 1] > centres[-1, 0, 1]
    assert centres[0, 0, 0] < centres[0, -1, 0]


@pytest.mark.parametrize("title", list(PRESETS))
def test_presets_train(title, ring):
    assert begin(PRESETS[title][1], ring)[0].step(1)["diverged_at"] is None


def test_captions():
    frame = {
        "diverged_at": None,
        "step": 500,
        "num_outside": 0,
        "diversity": 0.1,
        "num_covered": 1,
        "num_modes": 8,
        "high_quality": 0.0,
    }
    assert "collapse" in write_caption(frame)
    assert "All 8" in write_caption(frame | {"num_covered": 8, "diversity": 1.0})
    assert "left the view" in write_caption(frame | {"num_outside": 400})
