"""The game in the explorer: what is refused, what a frame holds, and that looking, pausing and asking leave the game as it is."""

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.core.errors import SparringError
from sparring.core.runtime import DeviceOptions
from sparring.data import DataConfig, open_data
from sparring.parts.objectives import OBJECTIVES
from sparring.serve.playground import game as arena_
from sparring.serve.playground.config import (
    PENALTY_DESCRIPTIONS,
    PRESETS,
    RECIPE_SETTINGS,
    PlaygroundConfig,
    build_recipe_config,
)
from sparring.serve.playground.game import Playground, find_covered_modes, open_builtin_points, write_caption
from sparring.serve.playground.view import (
    FIELD_SIDE,
    GRID_LINES,
    NUM_ARROWS,
    NUM_FAKE_POINTS,
    ViewBox,
)
from tests.helpers.raw_asgi import Explorer

SMALL = "width=4&batch=8&latent=2"


@pytest.fixture(scope="module")
def ring():
    return open_builtin_points("ring")


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """An explorer of a set of points, with no run at all."""
    monkeypatch.chdir(tmp_path)
    found = Explorer(Path("ring"))
    yield found
    found.close()


def begun(rules: PlaygroundConfig, dataset) -> tuple[Playground, dict]:
    arena = Playground(DeviceOptions(device="cpu", threads=1).start())
    return arena, arena.begin(replace(rules, width=4, batch=8), dataset)


def weights(playground: Playground) -> str:
    tensors = playground.game.state.tensors().values()
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


@pytest.mark.parametrize(
    "query",
    [
        "recipe=vae",
        "recipe=",
        "points=/etc/passwd",
        "points=animals",
        "objective=__import__",
        "penalty=lasso",
        "rate=nan",
        "rate=inf",
        "rate=1e-3",
        "rate=0",
        "rate=0.2",
        "rate_judge=-0.1",
        "weight=101",
        "weight=-1",
        "moves=0",
        "moves=11",
        "latent=17",
        "latent=0",
        "width=129",
        "width=100000000000000000000",
        "batch=513",
        "seed=2147483648",
        "seed=-1",
        "waves=2",
        "waves=1.0",
        "seed=1&seed=2",
        "lr=0.1",
        "points=own",
    ],
)
def test_odd_rules_are_refused(alone, query):
    assert alone.post(f"/api/arena/begin?{query}").status in (400, 409)
    assert alone.context.playground.game is None


def test_only_our_page_may_play(alone):
    assert alone.get("/api/arena/begin").status == 405
    assert alone.ask("POST", "/api/arena/begin", headers={"content-length": "0"}).status == 403
    foreign = {"content-length": "0", "origin": "http://evil.example"}
    assert alone.ask("POST", "/api/arena/begin", headers=foreign).status == 403
    assert alone.post("/api/arena/begin", b"rules").status == 400
    assert alone.context.playground.game is None


def test_a_game_alone(alone):
    about = alone.get("/api/about").json
    assert (about["kind"], about["arena"], about["live"]) == ("arena", True, False)
    choices = alone.get("/api/arena").json
    assert choices["points"][0] == "ring"
    first = alone.post(f"/api/arena/begin?recipe=gan&{SMALL}").json
    assert (first["step"], first["rules"]["recipe"], len(first["centres"])) == (0, "gan", 8)
    second = alone.post(f"/api/arena/step?game={first['game']}&n=3").json
    assert (second["played"], second["step"], second["images"]) == (3, 3, 24)
    assert "view" not in second  # what stays is told once
    other = alone.post(f"/api/arena/begin?recipe=gan&{SMALL}").json
    assert alone.post(f"/api/arena/step?game={first['game']}").status == 409
    assert alone.post(f"/api/arena/step?game={other['game']}").json["step"] == 1
    assert alone.post(f"/api/arena/step?game={other['game']}&n=201").status == 400
    assert alone.post(f"/api/arena/step?game={other['game']}&n=nan").status == 400


@pytest.mark.parametrize("recipe", list(RECIPE_SETTINGS))
def test_a_frame_is_whole(recipe, ring):
    arena, first = begun(build_recipe_config(recipe), ring)
    frame = arena.step(2, 60)
    for found in (first, frame):
        assert len(base64.b64decode(found["field"])) == FIELD_SIDE * FIELD_SIDE
        for name, shape in (
            ("points", (NUM_FAKE_POINTS, 2)),
            ("net", (GRID_LINES**2, 2)),
            ("arrows", (NUM_ARROWS, 2)),
        ):
            assert np.shape(found[name]) == shape
            assert np.isfinite(found[name]).all()
    assert frame["points"] != first["points"]
    assert {name.split("/")[0] for name in frame["terms"]} >= {"generator", "discriminator"}
    assert all(np.isfinite(list(frame["terms"].values())))


def test_all_that_can_be_chosen_plays(ring):
    chosen = [{"objective": name} for name in OBJECTIVES]
    chosen += [{"penalty": name, "weight": 0.1} for name in PENALTY_DESCRIPTIONS] + [
        {"latent": 1},
        {"latent": 5},
        {"waves": 1},
    ]
    for changes in chosen:
        arena, _ = begun(replace(PlaygroundConfig(), **changes), ring)
        assert arena.step(1)["lost"] is None


def test_a_clipped_judge_is_clipped(ring):
    arena, _ = begun(replace(build_recipe_config("wgan"), weight=0.05), ring)
    arena.step(1)
    assert (
        max(float(p.detach().abs().max()) for p in arena.game.state.game.discriminator.parameters()) < 0.0501
    )


def test_steps_are_counted_and_looking_changes_nothing(ring):
    """However the steps are asked for, and however often it is looked at, the game is the same."""
    rules = build_recipe_config("sngan")  # its layers have a memory that looking could touch
    one, _ = begun(rules, ring)
    assert one.step(6, 60)["step"] == 6
    other, _ = begun(rules, ring)
    for number in range(6):
        assert other.step(1)["step"] == number + 1
        arena_.build_frame(other.game, [], 0)
    assert weights(one) == weights(other)
    different, _ = begun(replace(rules, seed=1), ring)
    different.step(6, 60)
    assert weights(different) != weights(one)


def test_the_time_of_a_request_is_bounded(ring):
    arena, _ = begun(PlaygroundConfig(), ring)
    assert arena.step(200, 0.0)["played"] == 1


def test_a_game_that_diverges_says_so(ring, monkeypatch):
    arena, _ = begun(PlaygroundConfig(), ring)
    arena.step(2, 60)
    before = arena.step(1)["points"]
    with torch.no_grad():
        next(arena.game.state.game.generation.parameters()).fill_(float("nan"))
    for _ in range(2):  # and stays so
        frame = arena.step(5, 60)
        assert (frame["lost"], frame["played"], frame["points"] == before) == (3, 0, True)
        assert "Diverged" in frame["words"]


def test_the_run_is_only_read(point_run):
    def state() -> dict[str, tuple[int, str]]:
        return {
            str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(point_run.rglob("*"))
            if path.is_file()
        }

    before = state()
    explorer = Explorer(point_run)
    assert explorer.get("/api/about").json["arena"] is True
    assert explorer.get("/api/arena").json["points"][0] == "ring"
    game = explorer.post(f"/api/arena/begin?{SMALL}").json["game"]
    assert explorer.post(f"/api/arena/step?game={game}&n=5").json["step"] >= 1
    explorer.close()
    assert state() == before


def test_points_of_ones_own(tmp_path):
    """No modes are known of these; points in space are not for the plane, and a few are not enough."""
    np.save(tmp_path / "two.npy", np.random.default_rng(0).normal(3, 5, (64, 2)).astype(np.float32))
    np.save(tmp_path / "three.npy", np.zeros((64, 3), np.float32) + np.arange(64)[:, None])
    np.save(tmp_path / "few.npy", np.eye(2, dtype=np.float32))
    arena, first = begun(
        replace(PlaygroundConfig(), points="own"), open_data(DataConfig(source=str(tmp_path / "two.npy")))
    )
    assert ("modes" in first, first["centres"], len(first["real"])) == (False, [], 64)
    assert arena.step(1)["reached"] > 0
    for name in ("three", "few"):
        with pytest.raises(SparringError, match="points in the plane"):
            arena.begin(PlaygroundConfig(), open_data(DataConfig(source=str(tmp_path / f"{name}.npy"))))


def test_what_holds_a_mode():
    centres = np.array([[0.0, 0.0], [4.0, 0.0]])
    made = np.concatenate([np.zeros((99, 2)), [[4.0, 0.99]]])
    assert find_covered_modes(made, centres).tolist() == [True, True]
    made[-1, 1] = 1.01  # beyond a quarter of the way
    assert find_covered_modes(made, centres).tolist() == [True, False]
    assert (
        ViewBox.from_samples(np.array([[0.0, 0.0], [2.0, 1.0]] * 50)).count_outside(
            np.array([[1.0, 0.5], [9.0, 0.0]])
        )
        == 1
    )


def test_the_field_is_seen_from_above(ring):
    """The first row of the field is the top of the plane, its first place the left."""
    arena, _ = begun(PlaygroundConfig(), ring)
    places = arena.game.renderer.view.cell_centres(FIELD_SIDE).reshape(FIELD_SIDE, FIELD_SIDE, 2)
    assert places[0, 0, 1] > places[-1, 0, 1]
    assert places[0, 0, 0] < places[0, -1, 0]


def test_games_worth_seeing_can_be_played(ring):
    assert PRESETS
    for _, rules in PRESETS.values():
        assert begun(rules, ring)[0].step(1)["lost"] is None


def test_words():
    base = {
        "lost": None,
        "step": 500,
        "outside": 0,
        "diversity": 0.1,
        "modes": 1,
        "modes_of": 8,
        "on_target": 0.0,
    }
    assert "collapse" in write_caption(base, PlaygroundConfig())
    assert "All 8" in write_caption(base | {"modes": 8, "diversity": 1.0}, PlaygroundConfig())
    assert "left the image" in write_caption(base | {"outside": 400}, PlaygroundConfig())
