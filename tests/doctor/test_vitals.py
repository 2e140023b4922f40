"""The vital signs: what they say in cases where that is known, and that measuring changes nothing."""

import math

import pytest
import torch

from sparring.data.readers.points import mixture_modes
from sparring.metrics import batch_statistics
from sparring.training import diagnostics
from tests.helpers.toy import bits, match, write_data

COUNT = 64


def ring(seed: int, among: int = 8, count: int = COUNT) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    means = torch.from_numpy(mixture_modes("ring")[0])[:among]
    which = torch.randint(among, (count,), generator=draws)
    return means[which] + 0.01 * torch.randn(count, 2, generator=draws, dtype=torch.float64)


def test_real_samples_are_as_varied_as_real_samples() -> None:
    found = [
        batch_statistics.batch_statistics(ring(seed), ring(seed + 100), ring(seed + 200))
        for seed in range(20)
    ]
    assert sum(row["diversity"] for row in found) / 20 == pytest.approx(1, abs=0.02)
    assert sum(row["reached"] for row in found) / 20 == pytest.approx(1, abs=0.05)
    assert max(row["repeats"] for row in found) < 0.1


def test_one_point_has_no_variety_at_all() -> None:
    found = batch_statistics.batch_statistics(ring(0), ring(1), torch.ones(COUNT, 2))
    assert found["diversity"] == pytest.approx(0, abs=1e-6)
    assert found["repeats"] == 1
    assert found["reached"] < 0.05


def test_each_sample_twice_is_seen_though_the_variety_is_full() -> None:
    found = batch_statistics.batch_statistics(ring(0), ring(1), ring(2)[: COUNT // 2].repeat(2, 1))
    assert found["diversity"] > 0.8
    assert found["repeats"] == 1


def test_pixels_at_the_ends_of_the_scale_are_counted() -> None:
    real, fake = torch.zeros(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    real[:, :, 0], fake[:, :, :, 0] = torch.rand(4, 1, 2), 1.0
    found = batch_statistics.batch_statistics(real, real, fake)
    assert (found["saturated"], found["saturated_real"]) == (0.5, 0.0)


def test_the_overlap_of_two_lists_is_that_of_normal_laws() -> None:
    """For unit normals whose means are s apart: Phi(s / sqrt 2)."""
    draws = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 3_000, generator=draws)
    expected = 0.5 * (1 + math.erf(1 / 2))
    assert batch_statistics.probability_greater(left + 1, right) == pytest.approx(expected, abs=0.02)
    assert batch_statistics.probability_greater(left, left) == pytest.approx(0.5)


@pytest.fixture
def every_time(monkeypatch):
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 1)
    monkeypatch.setattr(diagnostics, "EVERY_STEPS", 1)


def played(data, measuring: bool) -> str:
    game = match(data)
    for _ in range(6):
        game.train_step()
        assert bool(diagnostics.measure(game, game.stream.dataset)) == measuring
    return bits(game)


def test_measuring_changes_no_bit(tmp_path, every_time, monkeypatch) -> None:
    """The toy has batch and spectral normalisation and dropout in it."""
    data = write_data(tmp_path)
    measured = played(data, measuring=True)
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 10**9)
    assert measured == played(data, measuring=False)


def test_measuring_on_the_players_themselves_would_be_noticed(tmp_path, every_time, monkeypatch) -> None:
    data = write_data(tmp_path)
    measured = played(data, measuring=True)
    monkeypatch.setattr(diagnostics, "_copy_in_train_mode", lambda network: network)
    assert measured != played(data, measuring=True)


def test_all_signs_are_there_and_the_same_again(tmp_path, every_time) -> None:
    game = match(write_data(tmp_path))
    game.train_step()
    found = diagnostics.measure(game, game.stream.dataset)
    assert found == diagnostics.measure(game, game.stream.dataset)
    expected = "diversity repeats reached saturated saturated_real logit_train logit_fake logit_spread apart "
    expected += "diversity_seen logit_held apart_held memorised"
    assert set(found) == {f"vitals/{name}" for name in expected.split()}
    assert "diag/auc_train_vs_held_out" not in diagnostics.measure(game)


def test_they_are_taken_seldom(tmp_path) -> None:
    """At most once in so many images and steps, and at the end."""
    game = match(write_data(tmp_path), steps=2_000, report=10)
    taken = []
    for images in range(80, 16_001, 80):
        game.clock.images = images
        if diagnostics._is_due(game):
            taken.append(images)
    assert taken[-1] == 16_000
    assert len(taken) <= 2 * (16_000 // diagnostics.EVERY_IMAGES) + 1
    assert len(taken) >= 16_000 // diagnostics.EVERY_IMAGES
