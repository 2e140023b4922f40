"""Diagnostics of training: their values where these are known, and that measuring changes nothing."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from sparring.data.readers.points import mixture_modes
from sparring.metrics.batch_statistics import batch_statistics, probability_greater
from sparring.training import diagnostics
from tests.helpers.toy import bits, train_state, write_data

COUNT = 64


def ring(seed: int, modes: int = 8, count: int = COUNT) -> torch.Tensor:
    """Samples of the first `modes` modes of the ring, float64 (count, 2)."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.from_numpy(mixture_modes("ring")[0])[:modes]
    index = torch.randint(modes, (count,), generator=generator)
    return means[index] + 0.01 * torch.randn(count, 2, generator=generator, dtype=torch.float64)


def test_real_samples_are_as_diverse_as_real_samples() -> None:
    rows = [batch_statistics(ring(seed), ring(seed + 100), ring(seed + 200)) for seed in range(20)]
    assert sum(row["diversity"] for row in rows) / 20 == pytest.approx(1, abs=0.02)
    assert sum(row["coverage"] for row in rows) / 20 == pytest.approx(1, abs=0.05)
    assert max(row["near_duplicates"] for row in rows) < 0.1


def test_equal_samples_have_no_diversity() -> None:
    statistics = batch_statistics(ring(0), ring(1), torch.ones(COUNT, 2))
    assert statistics["diversity"] == pytest.approx(0, abs=1e-6)
    assert statistics["near_duplicates"] == 1
    assert statistics["coverage"] < 0.05


def test_duplicates_are_seen_even_where_the_diversity_is_full() -> None:
    statistics = batch_statistics(ring(0), ring(1), ring(2)[: COUNT // 2].repeat(2, 1))
    assert statistics["diversity"] > 0.8
    assert statistics["near_duplicates"] == 1


def test_pixels_at_the_ends_of_the_range_are_counted() -> None:
    real, fake = torch.zeros(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    real[:, :, 0], fake[:, :, :, 0] = torch.rand(4, 1, 2), 1.0
    statistics = batch_statistics(real, real, fake)
    assert (statistics["clipped_pixels"], statistics["clipped_pixels_real"]) == (0.5, 0.0)


def test_auc_of_two_normal_distributions() -> None:
    """For unit normals whose means are s apart: Phi(s / sqrt 2)."""
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 3_000, generator=generator)
    expected = 0.5 * (1 + math.erf(1 / 2))
    assert probability_greater(left + 1, right) == pytest.approx(expected, abs=0.02)
    assert probability_greater(left, left) == pytest.approx(0.5)


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure at every step."""
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 1)
    monkeypatch.setattr(diagnostics, "EVERY_STEPS", 1)


def bits_after_training(data: Path, *, measured: bool) -> str:
    state = train_state(data)
    for _ in range(6):
        state.train_step()
        assert bool(diagnostics.measure(state, state.stream.dataset)) == measured
    return bits(state)


def test_measuring_changes_no_bit(tmp_path, every_step, monkeypatch) -> None:
    """The toy has batch and spectral normalisation and dropout."""
    data = write_data(tmp_path)
    measured = bits_after_training(data, measured=True)
    monkeypatch.setattr(diagnostics, "EVERY_IMAGES", 10**9)
    assert measured == bits_after_training(data, measured=False)


def test_measuring_without_a_copy_changes_the_bits(tmp_path, every_step, monkeypatch) -> None:
    """Sabotage twin of the test above."""
    data = write_data(tmp_path)
    measured = bits_after_training(data, measured=True)
    monkeypatch.setattr(diagnostics, "copy", SimpleNamespace(deepcopy=lambda network: network))
    assert measured != bits_after_training(data, measured=True)


def test_all_columns_are_there_and_reproducible(tmp_path, every_step) -> None:
    state = train_state(write_data(tmp_path))
    state.train_step()
    columns = diagnostics.measure(state, state.stream.dataset)
    assert columns == diagnostics.measure(state, state.stream.dataset)
    expected = (
        "diversity near_duplicates coverage clipped_pixels clipped_pixels_real feature_diversity logit_train "
    )
    expected += (
        "logit_fake logit_held_out logit_std auc_real_vs_fake auc_held_out_vs_fake auc_train_vs_held_out"
    )
    assert set(columns) == {f"diag/{name}" for name in expected.split()}
    assert "diag/auc_train_vs_held_out" not in diagnostics.measure(state)


def test_they_are_measured_seldom(tmp_path) -> None:
    """At most once in `EVERY_IMAGES` images and `EVERY_STEPS` steps, and at the end."""
    state = train_state(write_data(tmp_path), steps=2_000, report=10)
    measured = []
    for images in range(80, 16_001, 80):
        state.clock.images = images
        if diagnostics.measure(state):
            measured.append(images)
    assert measured[-1] == 16_000
    assert len(measured) <= 2 * (16_000 // diagnostics.EVERY_IMAGES) + 1
    assert len(measured) >= 16_000 // diagnostics.EVERY_IMAGES
